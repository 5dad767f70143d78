import { command } from '../../engine/command-line.ts';
import type { Kube } from '../../kube/client/client.ts';
import { firstTrouble, logOfTrouble, type PodTrouble } from '../../kube/pods.ts';
import type { Space, SpaceStage } from './space-stages.ts';

/** What is behind a failed stage: the pod in trouble, and the last lines of its log. */
export interface StageTrouble {
  trouble: PodTrouble | undefined;
  log: string[];
  /** How to see more of that pod. */
  hint: string | undefined;
}

/** @param inside a client for the space itself, where there is one: some stages are brought about by pods in there */
export async function troubleOf<Inside>(
  id: string,
  { space, stages }: { space: Space<Inside>; stages: readonly SpaceStage<Inside>[] },
  hosting: Kube,
  inside: Kube | undefined,
): Promise<StageTrouble> {
  const stage = stages.find((candidate) => candidate.id === id);
  const outside = firstTrouble(stage?.podsOf?.(space) ?? []);
  if (outside !== undefined)
    return { trouble: outside, log: await logOfTrouble(hosting, outside), hint: describePod(hosting, outside) };
  const podsInside = space.look.state === 'seen' ? (stage?.podsInside?.(space.look.value) ?? []) : [];
  const trouble = firstTrouble(podsInside);
  const log = trouble === undefined || inside === undefined ? [] : await logOfTrouble(inside, trouble);
  const hint = trouble === undefined || inside === undefined ? undefined : describePod(inside, trouble);
  return { trouble, log, hint };
}

const describePod = ({ cluster }: Kube, { pod }: PodTrouble): string =>
  command`See more: kubectl --context ${cluster.context} -n ${pod.namespace ?? ''} describe pod ${pod.name}`;
