import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../../kube/api.ts';
import { findCondition, withCondition } from '../../kube/conditions.ts';
import { ApiError, isConflict, isRefused } from '../../kube/errors.ts';
import type { AnyObject, Condition, ManagedCluster } from '../../kube/objects.ts';
import { clusterClaims, managedClusters, nodes } from '../../kube/resources.ts';
import { recordEvent } from '../events.ts';
import { condition } from '../names.ts';

/** A failing API server is checked every 5 s, and is unavailable after 20 s of failures. */
const unhealthy = { recheck: 5_000, sustained: 20_000 };

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

/**
 * Reports an accepted cluster's state to the hub, in one patch of its status (ocm
 * pkg/registration/spoke/managedcluster).
 */
export async function reportStatus(hub: Api, own: Api, cluster: ManagedCluster, signal: AbortSignal): Promise<void> {
  const present = cluster.status?.conditions ?? [];
  if (findCondition(present, condition.clockSynced)?.status === 'False') {
    throw new Error(
      "the managed cluster's clock is out of sync, the agent will not be able to update the status of managed cluster",
    );
  }
  const health = await healthOf(own, signal);
  const conditions = withCondition(withCondition(present, joined), health);
  const details = health === available ? await clusterDetails(own) : {};
  const status = { ...details, conditions };
  if (contains(cluster.status, status)) return;
  const { name, uid, resourceVersion } = cluster.metadata;
  await hub.patch(managedClusters, name, { metadata: { uid, resourceVersion }, status }, { subresource: 'status' });
  if (findCondition(present, condition.available)?.status !== health.status) {
    const [type, reason] =
      health.status === 'True' ? (['Normal', 'Available'] as const) : (['Warning', 'Unavailable'] as const);
    await recordEvent(hub, cluster, { type, reason, note: health.message, reporter: 'registration-agent' });
  }
}

/** Sets one condition of the cluster; a deleted cluster has none. */
export async function setClusterCondition(hub: Api, name: string, wanted: Condition): Promise<void> {
  for (;;) {
    const cluster = await hub.find<ManagedCluster>(managedClusters, name).catch((error) => {
      // Its permissions are deleted with it.
      if (isRefused(error)) return undefined;
      throw error;
    });
    if (!cluster) return;
    const { uid, resourceVersion } = cluster.metadata;
    const conditions = withCondition(cluster.status?.conditions ?? [], wanted);
    try {
      const body = { metadata: { uid, resourceVersion }, status: { conditions } };
      await hub.patch(managedClusters, name, body, { subresource: 'status' });
      return;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
}

/** Unhealthy means failing repeatedly for a while. */
async function healthOf(own: Api, signal: AbortSignal): Promise<Condition> {
  for (const since = Date.now(); ; await sleep(unhealthy.recheck, undefined, { signal })) {
    const problem = await problemOf(own);
    if (!problem) return available;
    if (Date.now() - since < unhealthy.sustained) continue;
    const message = `The kube-apiserver is not ok, status code: ${problem}`;
    return { type: condition.available, status: 'False', reason: 'ManagedClusterKubeAPIServerUnavailable', message };
  }
}

/** The error of GET /livez about the API server's health, or of /healthz if that does not exist or is not allowed. */
async function problemOf(own: Api): Promise<string | undefined> {
  const isUnserved = (error: unknown) => error instanceof ApiError && [403, 404].includes(error.status);
  try {
    await own.send('GET', '/livez').catch((error) => {
      if (isUnserved(error)) return own.send('GET', '/healthz');
      throw error;
    });
    return undefined;
  } catch (error) {
    return `${error instanceof ApiError ? error.status : 0}, ${(error as Error).message}`;
  }
}

async function clusterDetails(own: Api): Promise<Partial<ManagedCluster['status']>> {
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
