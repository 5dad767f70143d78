import { command } from '../core/command-line.ts';
import { type NextStep, run } from '../core/next-step.ts';
import type { Kube } from '../kube/client/client.ts';
import { failureLog, firstPodFailure, type PodFailure } from '../kube/pods.ts';
import type { Space, SpaceStage } from './space-stages.ts';

/** The cause of a failed stage: the failing pod, and the end of its log. */
export interface StageFailure {
  failure: PodFailure | undefined;
  log: string[];
  /** Commands that show more of that pod. */
  next: readonly NextStep[];
}

/** @param inside a client for the space itself, if any: some stages depend on pods inside it */
export async function failureOfStage<Inside>(
  id: string,
  { space, stages }: { space: Space<Inside>; stages: readonly SpaceStage<Inside>[] },
  hosting: Kube,
  inside: Kube | undefined,
): Promise<StageFailure> {
  const stage = stages.find((candidate) => candidate.id === id);
  const outside = firstPodFailure(stage?.podsOf?.(space) ?? []);
  if (outside !== undefined)
    return { failure: outside, log: await failureLog(hosting, outside), next: [describePod(hosting, outside)] };
  const podsInside = space.inside.state === 'seen' ? (stage?.podsInside?.(space.inside.value) ?? []) : [];
  const failure = firstPodFailure(podsInside);
  const log = failure === undefined || inside === undefined ? [] : await failureLog(inside, failure);
  // A space of type host is no context of its own.
  const at = space.type === 'host' ? hosting : inside;
  const next = failure === undefined || at === undefined ? [] : [describePod(at, failure)];
  return { failure, log, next };
}

function describePod({ cluster }: Kube, { pod }: PodFailure): NextStep {
  const describe = command`kubectl --context ${cluster.context} -n ${pod.namespace ?? ''} describe pod ${pod.name}`;
  return run(describe, 'Correct what its last state shows');
}
