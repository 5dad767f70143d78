import { command } from '../engine/command-line.ts';
import { mapConcurrently, requestsAtOnce } from '../engine/concurrency.ts';
import { StellarError } from '../engine/errors.ts';
import { nearestNames } from '../engine/nearest.ts';
import { run } from '../engine/next-step.ts';
import { batchThreshold } from '../engine/request-batcher.ts';
import type { Kube } from '../kube/client/client.ts';
import { partialReader } from '../kube/partial-reader.ts';
import { resources } from '../kube/resources.ts';
import { notAHub } from './hub/require-hub.ts';
import type { ManagedCluster } from './objects.ts';

/** The WECs that a command selects. */
export interface WecTarget {
  /** WECs by name, or a selector; neither selects all. */
  names?: readonly string[] | undefined;
  selector?: string | undefined;
}

export interface FoundWec {
  name: string;
  /** Undefined for a name that the ITS does not know. */
  cluster: ManagedCluster | undefined;
}

/** @throws StellarError `not-a-hub` */
export async function findWecs(hub: Kube, { names, selector }: WecTarget): Promise<FoundWec[]> {
  if (names === undefined) {
    const clusters = await hub.list<ManagedCluster>(resources.managedClusters, { labelSelector: selector });
    if (clusters === undefined) throw notAHub(hub);
    return clusters.map((cluster) => ({ name: cluster.metadata.name, cluster }));
  }
  const all =
    names.length > batchThreshold
      ? await partialReader(hub).list<ManagedCluster>(resources.managedClusters)
      : undefined;
  if (all !== undefined) {
    const byName = new Map(all.map((cluster) => [cluster.metadata.name, cluster]));
    return names.map((name) => ({ name, cluster: byName.get(name) }));
  }
  return mapConcurrently(names, requestsAtOnce, async (name) => ({
    name,
    cluster: await hub.get<ManagedCluster>(resources.managedClusters, name),
  }));
}

/** @param known the names that the ITS has, if they were read */
export function noSuchWec(name: string, { cluster }: Kube, known: readonly string[] = []): StellarError {
  const near = nearestNames(name, known);
  const instead = near.length === 0 ? '' : `; the nearest names are ${near.join(', ')}`;
  return new StellarError('not-found', `There is no WEC ${name} on ${cluster.context}${instead}.`, {
    next: [run(command`stellarctl wec list --its ${cluster.context}`, 'See what exists')],
  });
}
