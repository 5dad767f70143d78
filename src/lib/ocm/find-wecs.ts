import { mapConcurrently } from '../concurrency.ts';
import { StellarError } from '../errors.ts';
import type { Kube } from '../kube/client.ts';
import { resources } from '../kube/resources.ts';
import type { ManagedCluster } from './objects.ts';

/** Which WECs a command means. */
export interface WecTarget {
  /** WECs by name, or a selector; neither means all. */
  names?: readonly string[] | undefined;
  selector?: string | undefined;
}

export interface FoundWec {
  name: string;
  /** Undefined for a name that the ITS does not know. */
  cluster: ManagedCluster | undefined;
}

const readersAtOnce = 16;

export async function findWecs(hub: Kube, { names, selector }: WecTarget): Promise<FoundWec[]> {
  if (names === undefined) {
    const clusters = await hub.list<ManagedCluster>(resources.managedClusters, { labelSelector: selector });
    return (clusters ?? []).map((cluster) => ({ name: cluster.metadata.name, cluster }));
  }
  return mapConcurrently(names, readersAtOnce, async (name) => ({
    name,
    cluster: await hub.get<ManagedCluster>(resources.managedClusters, name),
  }));
}

export function noSuchWec(name: string, { cluster }: Kube): StellarError {
  return new StellarError('not-found', `There is no WEC ${name} on ${cluster.context}.`, {
    hint: `See which there are: stellarctl wec list --its ${cluster.context}`,
  });
}
