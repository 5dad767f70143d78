import { failureOf } from '../engine/errors.ts';

/** What helps: a command that can be typed as it is, or a step in words. */
export type Remedy = { command: string } | { hint: string };

/** Why something is not so, and what to do about it. */
interface Reason extends Partial<Record<'command' | 'hint', string>> {
  cause: string;
}

/** How a check has come out: what was found, or why it is not so. */
export type Outcome =
  | { status: 'pass'; found?: string }
  /** warn: something will not work as it is, though not everything; fail: nothing will. */
  | ({ status: 'warn' | 'fail' } & Reason)
  /** It does not matter here, or cannot be seen. */
  | ({ status: 'skipped' } & Reason);

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
export const warn = (cause: string, remedy?: Remedy): Outcome => ({ status: 'warn', cause, ...remedy });
export const fail = (cause: string, remedy?: Remedy): Outcome => ({ status: 'fail', cause, ...remedy });
export const skipped = (cause: string, remedy?: Remedy): Outcome => ({ status: 'skipped', cause, ...remedy });

/**
 * Makes all checks, side by side. What a check cannot find out has failed, with the reason.
 * @throws StellarError `interrupted`
 */
export async function makeChecks(checks: readonly Check[]): Promise<Finding[]> {
  return Promise.all(checks.map(async ({ id, title, look }) => ({ id, title, ...(await look().catch(asFailure)) })));
}

function asFailure(error: unknown): Outcome {
  const { message, hint } = failureOf(error);
  return fail(message, hint === undefined ? undefined : { hint });
}
