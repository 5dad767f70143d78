import { type Deadline, graceMs as defaultGraceMs, monotonic } from './deadline.ts';
import { StellarError } from './errors.ts';
import { Outage, poll } from './poll.ts';
import type { Run } from './run.ts';
import {
  type BlockedReport,
  blockingStage,
  judge,
  met,
  type Stage,
  type StageReport,
  type Verdict,
  waiting,
} from './stages.ts';

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

interface Target {
  /** The id of the target stage; by default the last one. */
  readonly until?: string;
  /** How long to watch a failure that may pass before reporting it, if its stage does not say; milliseconds. */
  readonly graceMs?: number;
}

/** A subject that is followed to a stage, and how to act on its readings. */
export interface Followed<Snapshot, Result> extends Target {
  /** Acts on a reading. @returns the result that ends the following, undefined to read again */
  act(reading: JudgedReading<Snapshot>): Promise<Result | undefined>;
  /** Handles the deadline. @param last the last reading, if there is one */
  late(last: JudgedReading<Snapshot> | undefined): Result | Promise<Result>;
  /** The result for an error that does not pass; without it, the error is thrown. */
  broken?(error: StellarError): Result;
}

/** A subject that something precedes, such as an installation. */
export interface Beginning<Subject, Result> {
  /** @returns what is followed, or the result if there is nothing to follow */
  begin(): Promise<{ subject: Subject } | { result: Result }>;
}

type Read<Snapshot, Subject> = (
  open: readonly Subject[],
) => Promise<(subject: Subject) => Promise<Reading<Snapshot>>>;

/** A round of readings does not wait longer for slow subjects: the others are read again. */
const longestRoundMs = 3000;

/**
 * Follows subjects until each has a result: reads at least every 3 s, judges, and lets the subject act. One `read` serves all
 * subjects that are still followed; it returns a function that completes it for each one. Failures that may pass are retried
 * (poll.ts). A subject that begins, or whose cluster is slow, does not delay the others.
 * @returns the results in the order of the subjects; none is undefined
 */
export async function follow<Snapshot, Result, Subject extends Followed<Snapshot, Result>>(
  subjects: readonly (Subject | Beginning<Subject, Result>)[],
  read: Read<Snapshot, Subject>,
  run: Run,
): Promise<Result[]> {
  const pursuits = subjects.map(
    (subject) => new Following<Snapshot, Result, Subject>(subject, run),
  );
  const open = () => pursuits.filter(({ result }) => result === undefined);
  const isUnhandled = () => pursuits.some(({ unhandled }) => unhandled !== undefined);
  const all = () => Promise.all(pursuits.map(({ busy }) => busy));
  const round = async () => {
    await readIdle(open, read, run);
    return isUnhandled() || open().length === 0 || undefined;
  };
  const lastChange = () =>
    Math.max(...pursuits.map(({ track }) => track?.changedAt ?? monotonic()));
  const failure = await poll(round, run, lastChange).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (!isUnhandled()) await all();
  for (const { unhandled } of pursuits) if (unhandled !== undefined) throw unhandled.error;
  // A failure common to all ends the open ones; the others keep their results.
  for (const pursuit of open()) await pursuit.close(failure);
  return pursuits.map(({ result }) => result as Result);
}

/** Reads once what nothing is being done for, and waits for what is being done. */
async function readIdle<Snapshot, Result, Subject extends Followed<Snapshot, Result>>(
  open: () => Following<Snapshot, Result, Subject>[],
  read: Read<Snapshot, Subject>,
  { deadline, signal }: Run,
) {
  const all = () => Promise.all(open().map(({ busy }) => busy));
  const idle = () => open().filter(({ busy }) => busy === undefined);
  // While there is nothing to read, it does not wait for an interval either: the last result ends it.
  while (open().length > 0 && idle().length === 0 && !signal.aborted && !deadline.passed)
    await atMost(longestRoundMs, Promise.race(open().map(({ busy }) => busy)));
  if (deadline.passed) await all();
  const toRead = idle();
  if (toRead.length === 0) return;
  const see = await read(toRead.flatMap(({ track }) => track?.subject ?? []));
  for (const pursuit of toRead) pursuit.look(see);
  await (deadline.passed ? all() : atMost(longestRoundMs, all()));
}

/** A subject on its way to its result. */
class Following<Snapshot, Result, Subject extends Followed<Snapshot, Result>> {
  /** Undefined until it has begun. */
  track: Track<Snapshot, Subject> | undefined;
  /** Ends with what is being done for it. */
  busy: Promise<void> | undefined;
  result: Result | undefined;
  /** An error that ends the following of all. */
  unhandled: { error: unknown } | undefined;
  readonly #outage: Outage;

  constructor(subject: Subject | Beginning<Subject, Result>, run: Run) {
    this.#outage = new Outage(run);
    if (!('begin' in subject)) this.track = new Track(subject, run.deadline);
    else
      this.busy = this.#work(async () => {
        const begun = await subject.begin();
        if ('result' in begun) return begun.result;
        this.track = new Track(begun.subject, run.deadline);
        return undefined;
      });
  }

  look(see: (subject: Subject) => Promise<Reading<Snapshot>>): void {
    const { track } = this;
    if (track === undefined) return;
    const { subject } = track;
    this.busy = this.#work(async () => {
      try {
        const reading = await see(subject).catch((error: unknown) => {
          if (this.isCutOff(error)) return 'cut off' as const;
          throw error;
        });
        if (reading === 'cut off') return await subject.late(track.last);
        const result = await subject.act(track.judge(reading));
        this.#outage.end();
        return result;
      } catch (error) {
        this.#outage.note(error);
        return undefined;
      }
    });
  }

  /** A reading that the deadline cuts off leaves the last one: what blocks a subject says more than that a server was slow. */
  isCutOff(error: unknown): boolean {
    return (
      this.track?.last !== undefined && error instanceof StellarError && error.code === 'timeout'
    );
  }

  /** Ends it at the deadline, or with a failure. */
  async close(failure: { error: unknown } | undefined): Promise<void> {
    const isOver = failure !== undefined && !this.isCutOff(failure.error);
    const { subject, last } = this.track ?? {};
    // The deadline may pass after an answer that was no reading.
    const unread = last === undefined ? this.#outage.late : undefined;
    if (isOver || unread !== undefined) this.result = this.ofError(isOver ? failure.error : unread);
    else this.result = await subject?.late(last);
  }

  ofError(error: unknown): Result {
    const { subject } = this.track ?? {};
    if (subject?.broken === undefined || !(error instanceof StellarError)) throw error;
    return subject.broken(error);
  }

  async #work(work: () => Promise<Result | undefined>): Promise<void> {
    try {
      this.result = await work().catch((error: unknown) => this.ofError(error));
    } catch (error) {
      this.unhandled = { error };
    }
    this.busy = undefined;
  }
}

/** Waits for work, at most so many milliseconds. */
async function atMost(ms: number, work: Promise<unknown>) {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, end]).finally(() => clearTimeout(timer));
}

/** Follows a single subject. */
export async function followOne<Snapshot, Result>(
  subject: Followed<Snapshot, Result>,
  read: () => Promise<Reading<Snapshot>>,
  run: Run,
): Promise<Result> {
  const [result] = await follow<Snapshot, Result, Followed<Snapshot, Result>>(
    [subject],
    async () => read,
    run,
  );
  return result as Result;
}

/** What is waited for by itself, because nothing else that is visible depends on it. */
export interface Awaited<Snapshot> {
  check(snapshot: Snapshot): Verdict;
  /** The grace period of its failure in milliseconds. */
  graceMs?(snapshot: Snapshot): number;
  read(): Promise<Snapshot>;
  /** Brings it about; runs after each reading that does not find it met. */
  act?(snapshot: Snapshot): Promise<void>;
  /** The subject whose progress shows the wait; without it, none is shown. */
  name?: string | undefined;
  /** The error if it has failed, or is not met in time. */
  unmet(last: Snapshot): StellarError | Promise<StellarError>;
}

/**
 * Waits until a check is met; a dry run changes nothing and does not read.
 * @returns whether it was met at once
 * @throws StellarError the error of `unmet`
 */
export async function untilMet<Snapshot>(
  { check, graceMs = () => defaultGraceMs, read, act, name, unmet }: Awaited<Snapshot>,
  run: Run,
): Promise<boolean> {
  if (run.dryRun) return true;
  const fail = async (last: Snapshot): Promise<never> => {
    throw await unmet(last);
  };
  return followOne<Snapshot, boolean>(
    {
      act: async ({ state, snapshot, blocking, isFirst }) => {
        if (blocking === undefined) return isFirst;
        if (state === 'failed') return fail(snapshot);
        await act?.(snapshot);
        if (name !== undefined) run.progress.waiting(name, blocking.verdict.why);
        return undefined;
      },
      // Every reading has a snapshot.
      late: (last) => fail((last as JudgedReading<Snapshot>).snapshot),
    },
    async () => {
      const snapshot = await read();
      return { stages: [{ id: '', title: '', check, graceMs: graceMs(snapshot) }], snapshot };
    },
    run,
  );
}

/**
 * Waits while something blocks; a dry run does not read.
 * @param blocker what blocks, for people; undefined if nothing does
 * @param late the error at the deadline
 * @param name the subject whose progress shows it; without it, none is shown
 * @returns whether nothing blocked
 */
export const waitWhile = (
  blocker: () => Promise<string | undefined>,
  run: Run,
  late: (why: string) => StellarError,
  name?: string,
) =>
  untilMet(
    {
      name,
      read: blocker,
      check: (why) => (why === undefined ? met : waiting(why)),
      unmet: (why = '') => late(why),
    },
    run,
  );

/** What is kept about a subject between readings. */
export class Track<Snapshot, Subject extends Target = Target> {
  readonly subject: Subject;
  last: JudgedReading<Snapshot> | undefined;
  /** When the judgement of a stage last changed. */
  changedAt = monotonic();
  readonly #deadline: Deadline;
  readonly #met = new Set<string>();
  #patience = new Patience();
  #standing = '';

  constructor(subject: Subject, deadline: Deadline) {
    this.subject = subject;
    this.#deadline = deadline;
  }

  judge(reading: Reading<Snapshot>): JudgedReading<Snapshot> {
    const reports = judge(reading.stages, reading.snapshot);
    const until = reports.findIndex(({ id }) => id === this.subject.until);
    const upToTarget = until === -1 ? reports : reports.slice(0, until + 1);
    const blocking = blockingStage(upToTarget) ?? unseenTarget(upToTarget);
    this.#noteChange(reports);
    const news = reports.filter(({ id, verdict }) => verdict.state === 'met' && !this.#met.has(id));
    for (const { id } of news) this.#met.add(id);
    const isFirst = this.last === undefined;
    this.last = {
      ...reading,
      reports,
      reached: isFirst ? [] : news,
      blocking,
      state:
        blocking === undefined
          ? 'done'
          : this.#hasFailed(blocking, reading.stages)
            ? 'failed'
            : 'open',
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
    const grace = stages.find((stage) => stage.id === id)?.graceMs ?? this.subject.graceMs;
    const isBelieved = this.#patience.hasLasted(
      verdict.state === 'failed' ? id : undefined,
      this.#deadline,
      grace,
    );
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
  hasLasted(what: string | undefined, deadline: Deadline, grace = defaultGraceMs): boolean {
    if (what === undefined) {
      this.#failing = undefined;
      return false;
    }
    if (this.#failing?.what !== what) this.#failing = { what, since: monotonic() };
    return deadline.passed || monotonic() - this.#failing.since > grace;
  }
}
