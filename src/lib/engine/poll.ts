import { graceMs, pause } from './deadline.ts';
import { mayPass, StellarError } from './errors.ts';
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
  return error instanceof StellarError && (error.passing === 'busy' || error.code === 'timeout');
}

function notInTime(error: StellarError): StellarError {
  if (error.code === 'timeout') return error;
  const { message, next, details } = error;
  return new StellarError('timeout', `Not done in time; the last answer was: ${message}`, { next, details });
}
