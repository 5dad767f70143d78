import { type Deadline, graceMs, pause } from './deadline.ts';
import { StellarError } from './errors.ts';
import { ApiError, mayPass } from './kube/errors.ts';
import type { Run } from './run.ts';

/** How often the evidence is looked at while waiting. */
const intervalMs = 500;

/**
 * Looks about twice a second until `look` returns something, or the deadline has passed (then undefined). An API server that
 * restarts is waited for; an error that stays is thrown, at the latest at the deadline: clusters that do not answer are no timeout.
 */
export async function poll<T>(look: () => Promise<T | undefined>, { deadline, signal }: Run): Promise<T | undefined> {
  let troubleSince: number | undefined;
  for (;;) {
    try {
      const result = await look();
      troubleSince = undefined;
      if (result !== undefined || deadline.passed) return result;
    } catch (error) {
      troubleSince ??= Date.now();
      if (deadline.passed && hasAnsweredInTime(error)) throw notInTime(error);
      if (!mayPass(error) || deadline.passed || Date.now() - troubleSince > graceMs) throw error;
    }
    await pause(intervalMs, deadline, signal);
  }
}

/** A server that was too busy or too slow for the last look has answered before: that is no failure to reach it. */
function hasAnsweredInTime(error: unknown): error is StellarError {
  if (error instanceof ApiError) return error.status === 429 || error.status >= 500;
  return error instanceof StellarError && error.code === 'timeout';
}

function notInTime(error: StellarError): StellarError {
  if (error.code === 'timeout') return error;
  const { message, hint, details } = error;
  return new StellarError('timeout', `Not done in time; the last answer was: ${message}`, { hint, details });
}

/** Believes in a failure only when it has been seen for some time, or when there is no time left to see it recover. */
export class Patience {
  readonly #graceMs: number;
  #failing: { what: string; since: number } | undefined;

  constructor(grace = graceMs) {
    this.#graceMs = grace;
  }

  /** @param what identifies the failure; undefined when nothing fails */
  believes(what: string | undefined, deadline: Deadline): boolean {
    if (what === undefined) {
      this.#failing = undefined;
      return false;
    }
    if (this.#failing?.what !== what) this.#failing = { what, since: Date.now() };
    return deadline.passed || Date.now() - this.#failing.since > this.#graceMs;
  }
}
