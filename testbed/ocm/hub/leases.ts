import { findCondition, isTrue, microNow, withCondition } from '../../kube/conditions.ts';
import type { Condition, Lease, ManagedCluster } from '../../kube/objects.ts';
import { leases, namespaces } from '../../kube/resources.ts';
import { recordEvent } from '../events.ts';
import { clusterLease, clusterNameLabel, condition } from '../names.ts';
import type { HubCache } from './hub-cache.ts';

/**
 * The number of lease durations without renewal after which a cluster is unknown, or its clock wrong (ocm
 * pkg/registration/hub/lease).
 */
const graceFactor = 5;

const stopped: Condition = {
  type: condition.available,
  status: 'Unknown',
  reason: 'ManagedClusterLeaseUpdateStopped',
  message: 'Registration agent stopped updating its lease.',
};

const synced: Condition = {
  type: condition.clockSynced,
  status: 'True',
  reason: 'ManagedClusterClockSynced',
  message: 'The clock of the managed cluster is synced with the hub.',
};

const outOfSync: Condition = {
  type: condition.clockSynced,
  status: 'False',
  reason: 'ManagedClusterClockOutOfSync',
  message:
    'The clock of hub and agent is out of sync. This may cause the Unknown status and affect agent functionalities.',
};

/**
 * Creates the leases of accepted clusters, and derives availability and clock from their renewal (ocm pkg/registration/hub/lease).
 */
export function runLeases(cache: HubCache): void {
  const availability = cache.queue('lease', async (name) => {
    const cluster = cache.cluster(name);
    if (!cluster || !findCondition(cluster.status?.conditions, condition.hubAccepted)) return;
    const lease = cache.leases.informer.items.get(`${name}/${clusterLease}`);
    if (cluster.metadata.deletionTimestamp) {
      if (!lease) await setUnknown(cache, cluster);
      return;
    }
    if (!lease) return createLease(cache, name);
    const left = Date.parse(lease.spec.renewTime ?? '') + graceOf(cluster) - Date.now();
    if (left > 0) availability.addAfter(name, left);
    else await setUnknown(cache, cluster);
  });
  const clocks = cache.queue('clock', async (name) => {
    const cluster = cache.cluster(name);
    const renewTime = cache.leases.informer.items.get(`${name}/${clusterLease}`)?.spec.renewTime;
    if (!cluster || !renewTime) return;
    const skew = Math.abs(Date.now() - Date.parse(renewTime));
    await set(cache, cluster, skew < graceOf(cluster) ? synced : outOfSync);
  });
  cache.clusters.onChange(({ metadata }) => availability.add(metadata.name));
  cache.leases.onChange((lease, _change, before?: Lease) => {
    const cluster = lease.metadata.namespace ?? '';
    availability.add(cluster);
    // Only a renewal shows the agent's clock: the hub wrote the first time.
    if (before && before.spec.renewTime !== lease.spec.renewTime) clocks.add(cluster);
  });
}

async function createLease({ api }: HubCache, cluster: string): Promise<void> {
  if (!(await api.find(namespaces, cluster))) return;
  await api.ensure<Lease>(leases, {
    metadata: { name: clusterLease, namespace: cluster, labels: { [clusterNameLabel]: cluster } },
    spec: { holderIdentity: clusterLease, renewTime: microNow() },
  });
}

async function setUnknown(cache: HubCache, cluster: ManagedCluster): Promise<void> {
  if (!(await set(cache, cluster, stopped))) return;
  const note = `The managed cluster (${cluster.metadata.name}) availability is unknown. ${stopped.message}`;
  await recordEvent(cache.api, cluster, {
    type: 'Warning',
    reason: 'AvailableUnknown',
    note,
    reporter: 'registration-controller',
  });
}

/** Whether the condition has changed. */
async function set(cache: HubCache, cluster: ManagedCluster, wanted: Condition): Promise<boolean> {
  const present = cluster.status?.conditions ?? [];
  if (wanted.status === 'True' && isTrue(present, wanted.type)) return false;
  const conditions = withCondition(present, wanted);
  if (conditions === present) return false;
  await cache.patchConditions(cluster, conditions);
  return true;
}

function graceOf({ spec }: ManagedCluster): number {
  return graceFactor * (spec.leaseDurationSeconds || 60) * 1000;
}
