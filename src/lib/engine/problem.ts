import { commandOf, hintOf, type NextStep } from './next-step.ts';

/** What is wrong with one thing, and what helps. A StellarError is one that is thrown. */
export interface Problem {
  /** A stable name of what is wrong. */
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  /** What belongs to the message, a statement each: the last lines of a log, candidates. */
  readonly details?: readonly string[];
  readonly next: readonly NextStep[];
  /** Less than that something does not work: it may come by itself, or waits for somebody. */
  readonly severity?: 'warn';
  /** The checks whose failure is the cause of this one: where one of them has failed, this follows from it. */
  readonly causedBy?: readonly string[];
  /** What it is seen by. */
  readonly evidence?: readonly Evidence[] | undefined;
  /** The sentence where several subjects have it: about all of them. */
  readonly ofSeveral?: string | undefined;
}

/** What an object says that a problem is seen by. The fields are an interface: docs/output.md. */
export interface Evidence {
  /** Its kind and name, as `Pod NAMESPACE/NAME`. */
  object: string;
  /** The context of its cluster. */
  on: string;
  /** The type of a condition, or what else of the object it is. */
  condition: string;
  status?: string;
  reason?: string;
  message?: string;
  /** Since when it has been so, RFC 3339. */
  since?: string;
}

export const problem = (code: string, message: string, ...next: NextStep[]): Problem => ({ code, message, next });

/** A problem as scripts get it. The fields are an interface: docs/output.md. */
export interface Diagnosis {
  problem: string;
  /** What helps, for people: a command, with what it does or what has to be filled in. */
  hint: string | null;
  /** The command alone, where it can be typed as it is. */
  next: string | null;
}

export const diagnosisOf = ({ message, next }: Problem): Diagnosis => ({
  problem: message,
  hint: hintOf(next) ?? null,
  next: commandOf(next) ?? null,
});
