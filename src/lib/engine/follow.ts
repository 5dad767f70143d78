import { monotonic } from './clock.ts';
import { mapConcurrently, requestsAtOnce } from './concurrency.ts';
import { type Deadline, graceMs } from './deadline.ts';
import { failureOf, mayPass, StellarError } from './errors.ts';
import { poll } from './poll.ts';
import type { Run } from './run.ts';
import { type BlockedReport, blockingStage, judge, type Stage, type StageReport } from './stages.ts';

/** A reading of a subject, and the stages that judge it. */
export interface Reading<Snapshot> {
  stages: readonly Stage<Snapshot>[];
  snapshot: Snapshot;
}

/** One reading of a subject, judged together with the earlier readings. */
export interface JudgedReading<Snapshot> extends Reading<Snapshot> {
  reports: StageReport[];
  /** Stages that are met since the last reading; none at the first reading, since those are old. */
  reached: StageReport[];
  /** The stage up to the target that blocks the subject: at the end the target itself, if it is not visible. */
  blocking: BlockedReport | undefined;
  /**
   * failed: `blocking` cannot pass, or has failed for longer than its grace period. done: the target is met, and nothing blocks.
   */
  state: 'open' | 'done' | 'failed';
  isFirst: boolean;
  /** Restarts the grace period of a failure after an attempt to fix it. */
  restartGracePeriod(): void;
}

/** A subject that is followed to a stage, and how to act on its readings. */
export interface Followed<Snapshot, Result> {
  /** The id of the target stage; by default the last one. */
  readonly until?: string;
  /** How long to watch a failure that may pass before reporting it, if its stage does not say; milliseconds. */
  readonly graceMs?: number;
  /** Acts on a reading. @returns the result that ends the following, undefined to read again */
  act(reading: JudgedReading<Snapshot>): Promise<Result | undefined>;
  /** The result for a subject that a reading no longer finds. Without it, no subject may disappear. */
  gone?(): Result;
  /** Handles the deadline. @param last the last reading, if there is one */
  late(last: JudgedReading<Snapshot> | undefined): Result | Promise<Result>;
  /** The result for an error that does not pass; without it, the error is thrown. */
  broken?(error: StellarError): Result;
}

/**
 * Follows subjects until each has a result: reads at least every 3 s, judges, and lets the subject act. One `read` serves all
 * subjects that are still followed; it returns a function that completes it for each one. Failures that may pass are retried
 * (poll.ts).
 * @returns the results in the order of the subjects; none is undefined
 */
export async function follow<Snapshot, Result, Subject extends Followed<Snapshot, Result>>(
  subjects: readonly Subject[],
  read: (open: readonly Subject[]) => Promise<(subject: Subject) => Promise<Reading<Snapshot> | undefined>>,
  run: Run,
): Promise<Result[]> {
  const tracks = subjects.map((subject) => ({ subject, track: new Track<Snapshot>(subject, run.deadline) }));
  const results = new Map<Subject, Result>();
  const openTracks = () => tracks.filter(({ subject }) => !results.has(subject));
  const step = async () => {
    const open = openTracks();
    const see = await read(open.map(({ subject }) => subject));
    await mapConcurrently(open, requestsAtOnce, async ({ subject, track }) => {
      const result = await see(subject)
        .then((seen) => (seen === undefined ? subject.gone?.() : subject.act(track.judge(seen))))
        .catch((error: unknown) => {
          // Failures that may pass, and Ctrl-C, concern all subjects.
          if (mayPass(error)) throw error;
          return resultOfError(subject, failureOf(error));
        });
      if (result !== undefined) results.set(subject, result);
    });
    return results.size === subjects.length || undefined;
  };
  // A failure common to all ends the open ones; the others keep their results. A reading that the deadline cuts off leaves the last
  // one: what blocks a subject says more than that a server was slow.
  const lastChange = () => Math.max(...tracks.map(({ track }) => track.changedAt));
  await poll(step, run, lastChange).catch((error: unknown) => {
    if (!(error instanceof StellarError)) throw error;
    for (const { subject, track } of openTracks())
      if (error.code !== 'timeout' || track.last === undefined) results.set(subject, resultOfError(subject, error));
  });
  for (const { subject, track } of openTracks()) results.set(subject, await subject.late(track.last));
  return subjects.map((subject) => results.get(subject) as Result);
}

/** Follows a single subject. */
export async function followOne<Snapshot, Result>(
  subject: Followed<Snapshot, Result>,
  read: () => Promise<Reading<Snapshot> | undefined>,
  run: Run,
): Promise<Result> {
  const [result] = await follow<Snapshot, Result, Followed<Snapshot, Result>>([subject], async () => read, run);
  return result as Result;
}

function resultOfError<Result>(subject: Pick<Followed<never, Result>, 'broken'>, error: StellarError): Result {
  if (subject.broken === undefined) throw error;
  return subject.broken(error);
}

/** What is kept about a subject between readings. */
export class Track<Snapshot> {
  last: JudgedReading<Snapshot> | undefined;
  /** When the judgement of a stage last changed. */
  changedAt = monotonic();
  readonly #target: Pick<Followed<Snapshot, unknown>, 'until' | 'graceMs'>;
  readonly #deadline: Deadline;
  readonly #met = new Set<string>();
  #patience = new Patience();
  #standing = '';

  constructor(target: Pick<Followed<Snapshot, unknown>, 'until' | 'graceMs'>, deadline: Deadline) {
    this.#target = target;
    this.#deadline = deadline;
  }

  judge(seen: Reading<Snapshot>): JudgedReading<Snapshot> {
    const reports = judge(seen.stages, seen.snapshot);
    const until = reports.findIndex(({ id }) => id === this.#target.until);
    const upToTarget = until === -1 ? reports : reports.slice(0, until + 1);
    const blocking = blockingStage(upToTarget) ?? unseenTarget(upToTarget);
    this.#noteChange(reports);
    const news = reports.filter(({ id, verdict }) => verdict.state === 'met' && !this.#met.has(id));
    for (const { id } of news) this.#met.add(id);
    const isFirst = this.last === undefined;
    this.last = {
      ...seen,
      reports,
      reached: isFirst ? [] : news,
      blocking,
      state: blocking === undefined ? 'done' : this.#hasFailed(blocking, seen.stages) ? 'failed' : 'open',
      isFirst,
      restartGracePeriod: () => {
        this.#patience = new Patience();
      },
    };
    return this.last;
  }

  /** Texts change by themselves, as ages do: only the state and the code of a stage count. */
  #noteChange(reports: readonly StageReport[]): void {
    const standing = JSON.stringify(
      reports.map(({ id, verdict }) => [id, verdict.state, 'code' in verdict && verdict.code]),
    );
    if (standing !== this.#standing) this.changedAt = monotonic();
    this.#standing = standing;
  }

  #hasFailed({ id, verdict }: BlockedReport, stages: readonly Stage<Snapshot>[]): boolean {
    const grace = stages.find((stage) => stage.id === id)?.graceMs ?? this.#target.graceMs;
    const isBelieved = this.#patience.believes(verdict.state === 'failed' ? id : undefined, this.#deadline, grace);
    if (verdict.state !== 'failed') return false;
    return verdict.final === true || (isBelieved && !this.#deadline.passed);
  }
}

/** A target that is not visible is waited for, even if nothing visible blocks the subject. */
function unseenTarget(upToTarget: readonly StageReport[]): BlockedReport | undefined {
  const target = upToTarget.at(-1);
  return target?.verdict.state === 'unseen'
    ? { ...target, verdict: { ...target.verdict, state: 'waiting' } }
    : undefined;
}

/** Reports a failure only after it has lasted for the grace period, or when no time is left for it to recover. */
export class Patience {
  #failing: { what: string; since: number } | undefined;

  /** @param what identifies the failure; undefined if nothing fails */
  believes(what: string | undefined, deadline: Deadline, grace = graceMs): boolean {
    if (what === undefined) {
      this.#failing = undefined;
      return false;
    }
    if (this.#failing?.what !== what) this.#failing = { what, since: monotonic() };
    return deadline.passed || monotonic() - this.#failing.since > grace;
  }
}
