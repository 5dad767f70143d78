import { graceMs, pause } from './deadline.ts';
import { mayPass, StellarError } from './errors.ts';
import type { Run } from './run.ts';

/** How often the evidence is looked at while waiting: less and less often while nothing changes. */
const shortestIntervalMs = 500;
const longestIntervalMs = 3000;
/** The interval, as a part of the time for which nothing has changed: it grows from 10 s on, and is longest after a minute. */
const calmPart = 1 / 20;

/**
 * Looks until `look` returns something, or the deadline has passed (then undefined). An API server that restarts is waited for; an
 * error that stays is thrown, at the latest at the deadline: clusters that do not answer are no timeout.
 * @param lastChange when what is looked at last changed, milliseconds since the epoch; without it, it is looked at twice a second
 */
export async function poll<T>(
  look: () => Promise<T | undefined>,
  { deadline, signal }: Run,
  lastChange: () => number = Date.now,
): Promise<T | undefined> {
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
    const calmMs = troubleSince === undefined ? Date.now() - lastChange() : 0;
    await pause(Math.min(longestIntervalMs, Math.max(shortestIntervalMs, calmMs * calmPart)), deadline, signal);
  }
}

/**
 * Polls for what a write leads to; a dry run, which writes nothing, does not look for it.
 * @param late what to throw when the deadline has passed
 * @returns undefined in a dry run
 */
export async function waitUntil<T>(
  look: () => Promise<T | undefined>,
  run: Run,
  late: () => StellarError,
): Promise<T | undefined> {
  const seen = run.dryRun ? undefined : await poll(look, run);
  if (seen === undefined && !run.dryRun) throw late();
  return seen;
}

/** A server that was too busy or too slow for the last look has answered before: that is no failure to reach it. */
function hasAnsweredInTime(error: unknown): error is StellarError {
  return error instanceof StellarError && (error.passing === 'busy' || error.code === 'timeout');
}

function notInTime(error: StellarError): StellarError {
  if (error.code === 'timeout') return error;
  const { message, next, details } = error;
  return new StellarError('timeout', `Timed out; the last answer was: ${message}`, { next, details });
}
