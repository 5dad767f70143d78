import { type Help, helpOf, type NextStep } from './next-step.ts';

/** A problem, and what helps. A StellarError is a problem that is thrown. */
export interface Problem {
  /** A stable code of the problem. */
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  /** Details of the message, one statement each: the last lines of a log, candidates. */
  readonly details?: readonly string[];
  readonly next: readonly NextStep[];
  /** Less than a failure: it may resolve by itself, or waits for a user. */
  readonly severity?: 'warn';
  /** The checks whose failure causes this problem: if one of them failed, this one follows from it. */
  readonly causedBy?: readonly string[] | undefined;
}

export const problem = (code: string, message: string, ...next: NextStep[]): Problem => ({ code, message, next });

/** A problem for scripts. The fields are an interface: docs/output.md. */
export interface Diagnosis extends Help {
  problem: string;
}

export const diagnosisOf = ({ message, next }: Pick<Problem, 'message' | 'next'>): Diagnosis => ({
  problem: message,
  ...helpOf(next),
});
