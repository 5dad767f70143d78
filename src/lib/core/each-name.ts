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

/**
 * Does the work for one of several names. The result holds an error that the user can act on, so it does not stop the others. A dry
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
    progress.failed(result.name);
  }
  if (dryRun && result.changed !== undefined) result.changed = false;
  return result;
}
