import { graceMs as defaultGraceMs } from './deadline.ts';
import type { StellarError } from './errors.ts';
import { followOne, type JudgedReading } from './follow.ts';
import type { Run } from './run.ts';
import { met, type Verdict, waiting } from './stages.ts';

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
