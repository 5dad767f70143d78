import { failureOf } from '../engine/errors.ts';
import { commandOf, hintOf, type NextStep } from '../engine/next-step.ts';
import { type Problem, problem } from '../engine/problem.ts';

/** How a check has come out: what was found, or why it is not so. */
export type Outcome =
  | { status: 'pass'; found?: string }
  /**
   * warn: something will not work as it is, though not everything; fail: nothing will; skipped: it does not matter here, or cannot be
   * seen.
   */
  | { status: 'warn' | 'fail' | 'skipped'; problem: Problem };

/** Something that should be so. */
export interface Check {
  id: string;
  /** A statement, which is true where the check passes. */
  title: string;
  /** May throw StellarError: then the check has failed. */
  look: () => Promise<Outcome>;
}

/** A check with what came of it. */
export type Finding = Pick<Check, 'id' | 'title'> & Outcome;

type Cause = Parameters<typeof problem>;

export const pass = (found?: string): Outcome => ({ status: 'pass', ...(found === undefined ? {} : { found }) });
export const warn = (...cause: Cause): Outcome => ({ status: 'warn', problem: problem(...cause) });
export const fail = (...cause: Cause): Outcome => ({ status: 'fail', problem: problem(...cause) });
export const skipped = (why: string, ...next: NextStep[]): Outcome => ({
  status: 'skipped',
  problem: problem('skipped', why, ...next),
});

/**
 * Makes all checks, side by side. What a check cannot find out has failed, with the reason.
 * @throws StellarError `interrupted`
 */
export async function makeChecks(checks: readonly Check[]): Promise<Finding[]> {
  const asFailure = (error: unknown): Outcome => ({ status: 'fail', problem: failureOf(error) });
  return Promise.all(checks.map(async ({ id, title, look }) => ({ id, title, ...(await look().catch(asFailure)) })));
}

/** A finding as scripts get it. The fields are an interface: docs/output.md. */
interface FindingReport extends Pick<Finding, 'id' | 'title' | 'status'> {
  found?: string;
  cause?: string;
  /** What helps: a command that can be typed as it is, or else a hint. */
  command?: string;
  hint?: string;
}

export function describeFinding({ id, title, ...outcome }: Finding): FindingReport {
  if (outcome.status === 'pass') return { id, title, ...outcome };
  const { status, problem } = outcome;
  const [command, hint] = [commandOf(problem.next), hintOf(problem.next)];
  const help = command !== undefined && command === hint ? { command } : hint === undefined ? {} : { hint };
  return { id, title, status, cause: problem.message, ...help };
}
