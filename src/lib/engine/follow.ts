import { mapConcurrently, requestsAtOnce } from './concurrency.ts';
import { type Deadline, graceMs } from './deadline.ts';
import { failureOf, mayPass, StellarError } from './errors.ts';
import { poll } from './poll.ts';
import type { Run } from './run.ts';
import { type BlockedReport, blockingStage, judge, type Stage, type StageReport } from './stages.ts';

/** What was read of a subject, and the stages that it is judged by. */
export interface Seen<Snapshot> {
  stages: readonly Stage<Snapshot>[];
  snapshot: Snapshot;
}

/** One look at a subject, judged in the light of the looks before. */
export interface Sight<Snapshot> extends Seen<Snapshot> {
  reports: StageReport[];
  /** Stages that are met since the look before; none at the first look, as what was so then is old. */
  reached: StageReport[];
  /** The stage up to the target that keeps the subject: at the end the target itself, where it is not seen. */
  blocking: BlockedReport | undefined;
  /** Failed: `blocking` cannot pass, or has failed for so long that it is believed. Done: the target is met, and nothing blocks. */
  state: 'open' | 'done' | 'failed';
  isFirst: boolean;
  /** Gives what has failed its time anew, because something was done about it. */
  forgive(): void;
}

/** A subject that is followed to a stage, and what is done with what is seen of it. */
export interface Followed<Snapshot, Result> {
  /** The id of the target stage; without it, the last one. */
  readonly until?: string;
  /** How long a failure that may pass is watched before it is believed, where its stage does not say; milliseconds. */
  readonly graceMs?: number;
  /** Acts on a look. @returns the result that ends the following, undefined to look again */
  act(sight: Sight<Snapshot>): Promise<Result | undefined>;
  /** What becomes of a subject that a look does not find any more. Without it, none may. */
  gone?(): Result;
  /** The deadline has passed. @param last the last look, where there was one */
  late(last: Sight<Snapshot> | undefined): Result | Promise<Result>;
  /** What becomes of an error that does not pass; without it, the error is thrown. */
  broken?(error: StellarError): Result;
}

/**
 * Follows subjects until each has a result: looks, at least every 3 s, judges, and lets the subject act. One `look` serves all that
 * are still followed; it gives a function that completes it for each one. What may pass is tried again (poll.ts).
 * @returns the results in the order of the subjects; none is undefined
 */
export async function follow<Snapshot, Result, Subject extends Followed<Snapshot, Result>>(
  subjects: readonly Subject[],
  look: (open: readonly Subject[]) => Promise<(subject: Subject) => Promise<Seen<Snapshot> | undefined>>,
  run: Run,
): Promise<Result[]> {
  const tracks = subjects.map((subject) => ({ subject, track: new Track<Snapshot>(subject, run.deadline) }));
  const results = new Map<Subject, Result>();
  const openTracks = () => tracks.filter(({ subject }) => !results.has(subject));
  const step = async () => {
    const open = openTracks();
    const see = await look(open.map(({ subject }) => subject));
    await mapConcurrently(open, requestsAtOnce, async ({ subject, track }) => {
      const result = await see(subject)
        .then((seen) => (seen === undefined ? subject.gone?.() : subject.act(track.judge(seen))))
        .catch((error: unknown) => {
          // What may pass, and Ctrl-C, concern all of them.
          if (mayPass(error)) throw error;
          return breakOff(subject, failureOf(error));
        });
      if (result !== undefined) results.set(subject, result);
    });
    return results.size === subjects.length || undefined;
  };
  // What goes wrong for all ends those that are still open; the others' results stay.
  const lastChange = () => Math.max(...tracks.map(({ track }) => track.changedAt));
  await poll(step, run, lastChange).catch((error: unknown) => {
    if (!(error instanceof StellarError)) throw error;
    for (const { subject } of openTracks()) results.set(subject, breakOff(subject, error));
  });
  for (const { subject, track } of openTracks()) results.set(subject, await subject.late(track.last));
  return subjects.map((subject) => results.get(subject) as Result);
}

/** The same for a single subject. */
export async function followOne<Snapshot, Result>(
  subject: Followed<Snapshot, Result>,
  look: () => Promise<Seen<Snapshot> | undefined>,
  run: Run,
): Promise<Result> {
  const [result] = await follow<Snapshot, Result, Followed<Snapshot, Result>>([subject], async () => look, run);
  return result as Result;
}

function breakOff<Result>(subject: Pick<Followed<never, Result>, 'broken'>, error: StellarError): Result {
  if (subject.broken === undefined) throw error;
  return subject.broken(error);
}

/** What is remembered of a subject from look to look. */
export class Track<Snapshot> {
  last: Sight<Snapshot> | undefined;
  /** When a stage was last judged otherwise than before, milliseconds since the epoch. */
  changedAt = Date.now();
  readonly #target: Pick<Followed<Snapshot, unknown>, 'until' | 'graceMs'>;
  readonly #deadline: Deadline;
  readonly #met = new Set<string>();
  #patience = new Patience();
  #standing = '';

  constructor(target: Pick<Followed<Snapshot, unknown>, 'until' | 'graceMs'>, deadline: Deadline) {
    this.#target = target;
    this.#deadline = deadline;
  }

  judge(seen: Seen<Snapshot>): Sight<Snapshot> {
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
      forgive: () => {
        this.#patience = new Patience();
      },
    };
    return this.last;
  }

  /** Words change by themselves, as ages do: what counts is how a stage is, and by which code. */
  #noteChange(reports: readonly StageReport[]): void {
    const standing = JSON.stringify(
      reports.map(({ id, verdict }) => [id, verdict.state, 'code' in verdict && verdict.code]),
    );
    if (standing !== this.#standing) this.changedAt = Date.now();
    this.#standing = standing;
  }

  #hasFailed({ id, verdict }: BlockedReport, stages: readonly Stage<Snapshot>[]): boolean {
    const grace = stages.find((stage) => stage.id === id)?.graceMs ?? this.#target.graceMs;
    const isBelieved = this.#patience.believes(verdict.state === 'failed' ? id : undefined, this.#deadline, grace);
    if (verdict.state !== 'failed') return false;
    return verdict.final === true || (isBelieved && !this.#deadline.passed);
  }
}

/** A target that is not seen is awaited, though nothing that can be seen keeps the subject from it. */
function unseenTarget(upToTarget: readonly StageReport[]): BlockedReport | undefined {
  const target = upToTarget.at(-1);
  return target?.verdict.state === 'unseen'
    ? { ...target, verdict: { ...target.verdict, state: 'waiting' } }
    : undefined;
}

/** Believes in a failure only when it has been seen for some time, or when there is no time left to see it recover. */
export class Patience {
  #failing: { what: string; since: number } | undefined;

  /** @param what identifies the failure; undefined when nothing fails */
  believes(what: string | undefined, deadline: Deadline, grace = graceMs): boolean {
    if (what === undefined) {
      this.#failing = undefined;
      return false;
    }
    if (this.#failing?.what !== what) this.#failing = { what, since: Date.now() };
    return deadline.passed || Date.now() - this.#failing.since > grace;
  }
}
