import { AsyncLocalStorage } from 'node:async_hooks';
import { StellarError } from './errors.ts';
import type { Run } from './run.ts';

/** The minimum result for one of several names. */
export interface NamedResult {
  name: string;
  error?: StellarError;
  changed?: boolean;
}

/** The same for work that writes. */
export interface ChangeResult extends NamedResult {
  /** Whether this run has written anything for it. */
  changed: boolean;
}

const working = new AsyncLocalStorage<{ hasWritten: boolean }>();

/** Notes that something was written for the name that is worked on: the result of work that fails half way says so. */
export function noteWrite() {
  const work = working.getStore();
  if (work) work.hasWritten = true;
}

/**
 * Does the work for one of several names. The result holds an error that the user can act on, so it does not stop the others. A dry
 * run changes nothing.
 */
export async function forName<Result extends NamedResult>(
  result: Result,
  { progress, dryRun }: Run,
  work: () => Promise<void>,
): Promise<Result> {
  const done = { hasWritten: false };
  try {
    await working.run(done, work);
  } catch (error) {
    if (!(error instanceof StellarError)) throw error;
    result.error = error;
    progress.failed(result.name);
  }
  if (done.hasWritten) noteWrite();
  if (result.changed !== undefined) result.changed = !dryRun && (result.changed || done.hasWritten);
  return result;
}
