import { StellarError } from '../../engine/errors.ts';
import { inWords } from '../../engine/next-step.ts';
import { clusterUid } from '../identity/cluster-uid.ts';
import type { JoiningWec } from './options.ts';

/** Names that turn out to be the same cluster, each with the other name. Clusters that cannot be told apart are not compared. */
export async function findSameClusters(wecs: JoiningWec[]): Promise<Map<string, string>> {
  const same = new Map<string, string>();
  if (wecs.length < 2) return same;
  const identities = await Promise.all(wecs.map(({ kube }) => clusterUid(kube).catch(() => undefined)));
  for (const [index, identity] of identities.entries()) {
    const twin = wecs.find((_, other) => other !== index && identity !== undefined && identities[other] === identity);
    if (twin !== undefined) same.set((wecs[index] as JoiningWec).name, twin.name);
  }
  return same;
}

export function sameWec({ name }: JoiningWec, twin: string): StellarError {
  return new StellarError('same-cluster', `${name} and ${twin} are the same cluster; neither was joined.`, {
    next: [inWords('Give every name the context of its own cluster: NAME=CONTEXT')],
  });
}
