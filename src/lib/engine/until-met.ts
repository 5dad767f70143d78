import type { StellarError } from './errors.ts';
import { followOne, type JudgedReading } from './follow.ts';
import type { Run } from './run.ts';
import type { Stage } from './stages.ts';

/** A stage that is followed by itself, because no other visible stage depends on it. */
export interface Awaited<Snapshot> {
  stage: Stage<Snapshot>;
  read(): Promise<Snapshot>;
  /** Brings the stage about; runs after each reading that does not find it met. */
  act?(snapshot: Snapshot): Promise<void>;
  /** The subject whose progress shows the wait; without it, none is shown. */
  name?: string | undefined;
  /** The error if the stage has failed, or is not met in time. */
  unmet(last: Snapshot): StellarError | Promise<StellarError>;
}

/** Follows a stage until it is met; a dry run changes nothing and does not read. @throws StellarError the error of `unmet` */
export async function untilMet<Snapshot>(
  { stage, read, act, name, unmet }: Awaited<Snapshot>,
  run: Run,
): Promise<void> {
  if (run.dryRun) return;
  const fail = async (last: Snapshot): Promise<never> => {
    throw await unmet(last);
  };
  await followOne<Snapshot, true>(
    {
      act: async ({ state, snapshot, blocking }) => {
        if (blocking === undefined) return true;
        if (state === 'failed') return fail(snapshot);
        await act?.(snapshot);
        if (name !== undefined) run.progress.waiting(name, blocking.verdict.why);
        return undefined;
      },
      // Every reading has a snapshot.
      late: (last) => fail((last as JudgedReading<Snapshot>).snapshot),
    },
    async () => ({ stages: [stage], snapshot: await read() }),
    run,
  );
}
