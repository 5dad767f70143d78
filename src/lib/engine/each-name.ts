import { StellarError } from './errors.ts';
import type { Run } from './run.ts';

/** What became of one of several names: at least this. */
export interface NamedResult {
  name: string;
  error?: StellarError;
  changed?: boolean;
}

/**
 * Does the work for one of several names. An error that a user can act on is in the result, so that it does not stop the others. A dry
 * run changes nothing.
 */
export async function forName<Result extends NamedResult>(
  result: Result,
  { progress, dryRun }: Run,
  work: () => Promise<void>,
): Promise<Result> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof StellarError)) throw error;
    result.error = error;
    progress.failed(result.name, error.message);
  }
  if (dryRun && result.changed !== undefined) result.changed = false;
  return result;
}
