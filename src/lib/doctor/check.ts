import { StellarError } from '../errors.ts';

/** How a check has come out: what was found, or why it is not so and what to do about it. */
export type Outcome =
  | { status: 'pass'; found?: string }
  /** warn: something will not work as it is, though not everything; fail: nothing will. */
  | { status: 'warn' | 'fail'; cause: string; command?: string | undefined }
  /** It does not matter here, or cannot be seen. */
  | { status: 'skipped'; cause: string; command?: string | undefined };

/** Something that should be so. */
export interface Check {
  id: string;
  /** A statement, which is true where the check passes. */
  title: string;
  /** May throw StellarError: then the check has failed. */
  look: () => Promise<Outcome>;
}

/** A check with what came of it, as scripts get it. */
export type Finding = Pick<Check, 'id' | 'title'> & Outcome;

export const pass = (found?: string): Outcome => ({ status: 'pass', ...(found === undefined ? {} : { found }) });
export const warn = (cause: string, command?: string): Outcome => ({ status: 'warn', ...because(cause, command) });
export const fail = (cause: string, command?: string): Outcome => ({ status: 'fail', ...because(cause, command) });
export const skipped = (cause: string, command?: string): Outcome => ({
  status: 'skipped',
  ...because(cause, command),
});

const because = (cause: string, command: string | undefined) => ({
  cause,
  ...(command === undefined ? {} : { command }),
});

/**
 * Makes all checks, side by side. What a check cannot find out has failed, with the reason.
 * @throws StellarError `interrupted`
 */
export async function makeChecks(checks: readonly Check[]): Promise<Finding[]> {
  return Promise.all(checks.map(async ({ id, title, look }) => ({ id, title, ...(await look().catch(asFailure)) })));
}

function asFailure(error: unknown): Outcome {
  if (!(error instanceof StellarError) || error.code === 'interrupted') throw error;
  return fail(error.message, error.hint);
}
