import { isDeepStrictEqual } from 'node:util';
import { findCondition } from '../../kube/conditions.ts';
import type { ManagedCluster } from '../../kube/objects.ts';
import { condition } from '../names.ts';
import type { HubCache } from './hub-cache.ts';

const unreachable = 'cluster.open-cluster-management.io/unreachable';
const unavailable = 'cluster.open-cluster-management.io/unavailable';

/** Keeps placements away from clusters that are not available (ocm pkg/registration/hub/taint). */
export function runTaints(cache: HubCache): void {
  const queue = cache.queue('taint', async (name) => {
    const cluster = cache.cluster(name);
    if (!cluster || cluster.metadata.deletionTimestamp) return;
    const { taints = [] } = cluster.spec;
    const kept = taints.filter(({ key }) => key !== unreachable && key !== unavailable);
    const wanted = taintOf(cluster);
    const present = taints.find(({ key }) => key === wanted);
    const taintsWanted = wanted ? [...kept, present ?? { key: wanted, effect: 'NoSelect' }] : kept;
    if (!isDeepStrictEqual(taints, taintsWanted))
      await cache.patchCluster(cluster, { spec: { taints: taintsWanted.length > 0 ? taintsWanted : null } });
  });
  cache.clusters.onChange(({ metadata }) => queue.add(metadata.name));
}

function taintOf({ status }: ManagedCluster): string | undefined {
  const available = findCondition(status?.conditions, condition.available)?.status ?? 'Unknown';
  if (available === 'Unknown') return unreachable;
  return available === 'False' ? unavailable : undefined;
}
