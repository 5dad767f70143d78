import { StellarError } from '../../errors.ts';
import type { Kube } from '../../kube/client.ts';
import { resources } from '../../kube/resources.ts';
import { Patience, poll } from '../../poll.ts';
import type { Run } from '../../run.ts';
import { blockingStage, judge, reachedStage, type StageReport } from '../../stages.ts';
import { aSpace, type SpaceRole } from '../names.ts';
import { hookLike } from '../spaces.ts';
import type { Space, SpaceStage } from './space-stages.ts';
import { troubleOf } from './stage-trouble.ts';

/** How long a failure that might pass is watched before it is believed. Images and hooks fail for good more often than not. */
const spaceGraceMs = 5000;

/** Written into a control plane so that KubeFlex looks at it now, and not only at its next round (every 30 s). */
const nudgeAnnotation = 'stellarctl.kubestellar.io/looked-at';

export interface FollowedSpace<Inside> {
  name: string;
  role: SpaceRole;
  hosting: Kube;
  /** One look. Undefined: the control plane is gone. */
  look: () => Promise<{ space: Space<Inside>; stages: readonly SpaceStage<Inside>[] } | undefined>;
  /** The client by which the space was last seen from inside. */
  inside: () => Kube | undefined;
  /** When the work began, milliseconds since the epoch. */
  started: number;
}

/** What became of a space that was followed. */
export interface SpaceOutcome {
  /** The id of the stage that it is at, or of the one that failed. */
  stage: string | null;
  /** It was at its last stage at the first look. */
  atOnce?: boolean;
  error?: StellarError;
}

/**
 * Follows a space to its last stage: says what is reached as it is reached, and stops as soon as something has failed that does not
 * pass by itself, with the reason and the last lines of the log of whatever failed. KubeFlex itself says nothing of that.
 */
export async function followSpace<Inside>(followed: FollowedSpace<Inside>, run: Run): Promise<SpaceOutcome> {
  const { name, started } = followed;
  let patience = new Patience();
  let doubted: string | undefined;
  const nudge = new Nudge(followed);
  const told = new Set<string>();
  let looks = 0;
  let last: { space: Space<Inside>; stages: readonly SpaceStage<Inside>[]; reports: StageReport[] } | undefined;
  const outcome = await poll(async (): Promise<SpaceOutcome | undefined> => {
    const seen = await followed.look();
    if (seen === undefined) return { stage: null, error: gone(followed) };
    const reports = judge(seen.stages, seen.space);
    last = { ...seen, reports };
    looks += 1;
    tellReached(
      reports,
      told,
      looks === 1 ? undefined : (text) => run.progress.reached(name, text, Date.now() - started),
    );
    const blocking = blockingStage(reports);
    const stage = reachedStage(reports) ?? null;
    if (blocking === undefined) return { stage, atOnce: looks === 1 };
    const { verdict } = blocking;
    const doubtful = verdict.state === 'failed' ? blocking.id : undefined;
    if (doubtful !== doubted) patience = new Patience(graceOf(blocking.id, seen.stages));
    doubted = doubtful;
    if (
      verdict.state === 'failed' &&
      (verdict.final || (patience.believes(verdict.why, run.deadline) && !run.deadline.passed))
    )
      return { stage, error: await failure(followed, last, blocking) };
    await nudge.when(seen.space, reports);
    if (verdict.state === 'waiting' || verdict.state === 'failed') run.progress.waiting(name, verdict.why);
    return undefined;
  }, run);
  if (outcome !== undefined) return outcome;
  return {
    stage: last === undefined ? null : (reachedStage(last.reports) ?? null),
    error: await tooLate(followed, last),
  };
}

const graceOf = <Inside>(id: string, stages: readonly SpaceStage<Inside>[]): number =>
  stages.find((stage) => stage.id === id)?.graceMs ?? spaceGraceMs;

/** Says every stage once that has been met since. What was so at the first look is old. */
function tellReached(
  reports: readonly StageReport[],
  told: Set<string>,
  tell: ((text: string) => void) | undefined,
): void {
  for (const { id, title, verdict } of reports) {
    if (verdict.state !== 'met' || told.has(id)) continue;
    told.add(id);
    // The last stage is the result, which is told with it.
    if (id !== reports.at(-1)?.id) tell?.(title);
  }
}

/** Lets KubeFlex look again as soon as there is something new to see, once for everything. */
class Nudge {
  readonly #hosting: Kube;
  readonly #name: string;
  #last = '';

  constructor({ hosting, name }: Pick<FollowedSpace<unknown>, 'hosting' | 'name'>) {
    this.#hosting = hosting;
    this.#name = name;
  }

  async when({ controlPlane }: Space<unknown>, reports: readonly StageReport[]): Promise<void> {
    const isUnnoticedHook = (id: string) => {
      const hook = hookLike(controlPlane, id);
      return hook !== undefined && controlPlane.status?.postCreateHooks?.[hook] !== true;
    };
    const unnoticed = reports.filter(({ id, verdict }) => verdict.state === 'met' && isUnnoticedHook(id));
    const onlyKubeFlexIsLeft = blockingStage(reports) === reports.at(-1);
    const news = [...unnoticed.map(({ id }) => id), ...(onlyKubeFlexIsLeft ? ['all'] : [])].join();
    if (news === '' || news === this.#last) return;
    this.#last = news;
    // A convenience: whoever may not write it waits a little longer.
    await askToLook(this.#hosting, this.#name).catch(() => {});
  }
}

/** Makes KubeFlex look at a control plane: any change of it does. */
export async function askToLook(hosting: Kube, name: string): Promise<void> {
  await hosting.merge(resources.controlPlanes, name, {
    metadata: { annotations: { [nudgeAnnotation]: new Date(hosting.now()).toISOString() } },
  });
}

async function failure<Inside>(
  { name, role, hosting, inside }: FollowedSpace<Inside>,
  seen: { space: Space<Inside>; stages: readonly SpaceStage<Inside>[] },
  { id, verdict }: StageReport,
): Promise<StellarError> {
  if (verdict.state !== 'failed') throw new Error(`the stage ${id} has not failed`);
  const { trouble, log, hint: seeMore } = await troubleOf(id, seen, hosting, inside());
  const isHook = hookLike(seen.space.controlPlane, id) !== undefined;
  const where = trouble?.kind === 'exit' ? [trouble.why] : [];
  return new StellarError(
    isHook ? 'hook-failed' : 'space-failed',
    `${name} is kept from being ready: ${verdict.why}.`,
    {
      details: [...where, ...log, existsUnready(name, role)],
      hint: wayOf(verdict.hint ?? seeMore ?? goOn, name, role, hosting),
    },
  );
}

async function tooLate<Inside>(
  { name, role, hosting }: FollowedSpace<Inside>,
  last: { reports: StageReport[]; space: Space<Inside>; stages: readonly SpaceStage<Inside>[] } | undefined,
): Promise<StellarError> {
  const blocking = last && blockingStage(last.reports);
  const verdict = blocking?.verdict;
  const why = verdict?.state === 'waiting' || verdict?.state === 'failed' ? verdict.why : 'nothing was seen of it';
  const at = blocking === undefined ? '' : `; it is kept from "${blocking.title}": ${why}`;
  return new StellarError('timeout', `${name} was not ready in time${at}.`, {
    details: [existsStill(name)],
    hint: wayOf((verdict?.state === 'failed' && verdict.hint) || goOn, name, role, hosting),
  });
}

const existsUnready = (name: string, role: SpaceRole): string => `${name} exists but is not ${aSpace(role)} yet.`;

export const existsStill = (name: string): string => `The control plane ${name} exists.`;

const goOn = 'Go on: run the same command again';

/** How to go on with a space that exists and is not ready, and how to give it up. */
export const goOnOrBack = (name: string, role: SpaceRole, hosting: Pick<Kube, 'cluster'>): string =>
  wayOf(goOn, name, role, hosting);

const wayOf = (forth: string, name: string, role: SpaceRole, { cluster }: Pick<Kube, 'cluster'>): string =>
  `${forth}    Or give it up: stellarctl ${role} delete ${name} --hosting-context ${cluster.context}`;

function gone({ name, hosting }: FollowedSpace<unknown>): StellarError {
  return new StellarError(
    'not-found',
    `The control plane ${name} is gone from ${hosting.cluster.context}: somebody has deleted it.`,
  );
}
