import type { Api } from '../../kube/api.ts';
import { findCondition, withCondition } from '../../kube/conditions.ts';
import { ApiError } from '../../kube/errors.ts';
import type { AnyObject, Condition, ManagedCluster } from '../../kube/objects.ts';
import { clusterClaims, managedClusters, nodes } from '../../kube/resources.ts';
import { recordEvent } from '../events.ts';
import { condition } from '../names.ts';

const joined: Condition = {
  type: condition.joined,
  status: 'True',
  reason: 'ManagedClusterJoined',
  message: 'Managed cluster joined',
};

const available: Condition = {
  type: condition.available,
  status: 'True',
  reason: 'ManagedClusterAvailable',
  message: 'Managed cluster is available',
};

/** Reports an accepted cluster's state to the hub, in one patch of its status (facts 2.6). */
export async function reportStatus(hub: Api, own: Api, cluster: ManagedCluster): Promise<void> {
  const present = cluster.status?.conditions ?? [];
  if (findCondition(present, condition.clockSynced)?.status === 'False') {
    throw new Error(
      "the managed cluster's clock is out of sync, the agent will not be able to update the status of managed cluster",
    );
  }
  const health = await healthOf(own);
  const conditions = withCondition(withCondition(present, joined), health);
  const facts = health === available ? await clusterFacts(own) : {};
  const status = { ...facts, conditions };
  if (contains(cluster.status, status)) return;
  const { name, uid, resourceVersion } = cluster.metadata;
  await hub.patch(managedClusters, name, { metadata: { uid, resourceVersion }, status }, { subresource: 'status' });
  if (findCondition(present, condition.available)?.status !== health.status) {
    const [type, reason] =
      health.status === 'True' ? (['Normal', 'Available'] as const) : (['Warning', 'Unavailable'] as const);
    await recordEvent(hub, cluster, { type, reason, note: health.message, reporter: 'registration-agent' });
  }
}

/** GET /livez, or /healthz where that does not exist or is not allowed. */
async function healthOf(own: Api): Promise<Condition> {
  try {
    await own.send('GET', '/livez').catch((error) => {
      if (error instanceof ApiError && (error.status === 404 || error.status === 403))
        return own.send('GET', '/healthz');
      throw error;
    });
    return available;
  } catch (error) {
    const code = error instanceof ApiError ? error.status : 0;
    return {
      type: condition.available,
      status: 'False',
      reason: 'ManagedClusterKubeAPIServerUnavailable',
      message: `The kube-apiserver is not ok, status code: ${code}, ${(error as Error).message}`,
    };
  }
}

async function clusterFacts(own: Api): Promise<Partial<ManagedCluster['status']>> {
  const { gitVersion } = await own.send<{ gitVersion: string }>('GET', '/version');
  const { items } = await own.list<AnyObject>(nodes);
  const claims = await own.list<AnyObject>(clusterClaims);
  const [node] = items.map(
    ({ status }) => status as { capacity?: Record<string, string>; allocatable?: Record<string, string> },
  );
  return {
    version: { kubernetes: gitVersion },
    // The sum over all nodes, of which a plane has one.
    ...(node?.capacity && { capacity: node.capacity }),
    ...(node?.allocatable && { allocatable: node.allocatable }),
    ...(claims.items.length > 0 && {
      clusterClaims: claims.items.map(({ metadata, spec }) => ({
        name: metadata.name,
        value: (spec as { value: string }).value,
      })),
    }),
  };
}

function contains(present: object | undefined, wanted: object): boolean {
  return Object.entries(wanted).every(
    ([field, value]) =>
      JSON.stringify((present as Record<string, unknown> | undefined)?.[field]) === JSON.stringify(value),
  );
}
