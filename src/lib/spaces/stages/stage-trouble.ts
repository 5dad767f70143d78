import { command } from '../../engine/command-line.ts';
import { type NextStep, run } from '../../engine/next-step.ts';
import type { Kube } from '../../kube/client/client.ts';
import { firstTrouble, logOfTrouble, type PodTrouble } from '../../kube/pods.ts';
import type { Space, SpaceStage } from './space-stages.ts';

/** The cause of a failed stage: the failing pod, and the end of its log. */
export interface StageTrouble {
  trouble: PodTrouble | undefined;
  log: string[];
  /** Commands that show more of that pod. */
  next: readonly NextStep[];
}

/** @param inside a client for the space itself, if any: some stages depend on pods inside it */
export async function troubleOf<Inside>(
  id: string,
  { space, stages }: { space: Space<Inside>; stages: readonly SpaceStage<Inside>[] },
  hosting: Kube,
  inside: Kube | undefined,
): Promise<StageTrouble> {
  const stage = stages.find((candidate) => candidate.id === id);
  const outside = firstTrouble(stage?.podsOf?.(space) ?? []);
  if (outside !== undefined)
    return { trouble: outside, log: await logOfTrouble(hosting, outside), next: [describePod(hosting, outside)] };
  const podsInside = space.look.state === 'seen' ? (stage?.podsInside?.(space.look.value) ?? []) : [];
  const trouble = firstTrouble(podsInside);
  const log = trouble === undefined || inside === undefined ? [] : await logOfTrouble(inside, trouble);
  const next = trouble === undefined || inside === undefined ? [] : [describePod(inside, trouble)];
  return { trouble, log, next };
}

const describePod = ({ cluster }: Kube, { pod }: PodTrouble): NextStep =>
  run(command`kubectl --context ${cluster.context} -n ${pod.namespace ?? ''} describe pod ${pod.name}`, 'See more');
