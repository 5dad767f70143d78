import type { StellarError } from './errors.ts';
import { followOne, type Sight } from './follow.ts';
import type { Run } from './run.ts';
import type { Stage } from './stages.ts';

/** A stage that is followed by itself, because nothing else that is seen says anything of it. */
export interface Awaited<Snapshot> {
  stage: Stage<Snapshot>;
  look(): Promise<Snapshot>;
  /** What brings it about; done after each look that does not find it met. */
  act?(snapshot: Snapshot): Promise<void>;
  /** Whose progress tells what is waited for; without it, nobody's. */
  name?: string | undefined;
  /** What is wrong where it has failed, or is not met in time. */
  unmet(last: Snapshot): StellarError | Promise<StellarError>;
}

/** Follows a stage until it is met; a dry run brings nothing about, and does not look. @throws StellarError what `unmet` returns */
export async function untilMet<Snapshot>(
  { stage, look, act, name, unmet }: Awaited<Snapshot>,
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
      // Each look has a snapshot.
      late: (last) => fail((last as Sight<Snapshot>).snapshot),
    },
    async () => ({ stages: [stage], snapshot: await look() }),
    run,
  );
}
