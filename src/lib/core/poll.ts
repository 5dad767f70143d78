import { type Deadline, graceMs, monotonic, pause, type Waiting } from './deadline.ts';
import { mayPass, StellarError } from './errors.ts';
import type { Run } from './run.ts';

/** The interval between readings while waiting: it grows while nothing changes. */
const shortestIntervalMs = 500;
const longestIntervalMs = 3000;
/** The interval, as a fraction of the time without changes: it starts to grow at 10 s, and reaches its maximum after a minute. */
const intervalFraction = 1 / 20;

/**
 * Reads until `read` returns a value, or until the deadline (then undefined). It waits for an API server that restarts; it throws
 * an error that persists, at the latest at the deadline: unreachable clusters are not a timeout.
 * @param lastChange when the evidence last changed (deadline.ts); without it, `read` runs twice a second
 */
export async function poll<T>(
  read: () => Promise<T | undefined>,
  run: Waiting,
  lastChange: () => number = monotonic,
): Promise<T | undefined> {
  const outage = new Outage(run);
  for (;;) {
    try {
      const result = await read();
      outage.end();
      if (result !== undefined || run.deadline.passed) return result;
    } catch (error) {
      outage.note(error);
    }
    const unchangedMs = outage.isOpen ? 0 : monotonic() - lastChange();
    await pause(
      Math.min(longestIntervalMs, Math.max(shortestIntervalMs, unchangedMs * intervalFraction)),
      run,
    );
  }
}

/** The time in which an API server does not answer as it should. */
export class Outage {
  readonly #deadline: Deadline;
  #since: number | undefined;
  /** The last error that was endured. */
  #error: StellarError | undefined;

  constructor({ deadline }: Pick<Run, 'deadline'>) {
    this.#deadline = deadline;
  }

  get isOpen(): boolean {
    return this.#since !== undefined;
  }

  end(): void {
    this.#since = undefined;
    this.#error = undefined;
  }

  /** The error at the deadline, if the last answer was one. */
  get late(): StellarError | undefined {
    return this.#error && timedOut(this.#error);
  }

  /** @throws the error, if it does not pass by itself, has lasted for the grace period, or no time is left */
  note(error: unknown): void {
    this.#since ??= monotonic();
    const { passed } = this.#deadline;
    if (!passed && mayPass(error) && monotonic() - this.#since <= graceMs) {
      this.#error = error;
      return;
    }
    // A server that was too busy or too slow for the last reading has answered before: it is not unreachable.
    if (!passed || !mayPass(error) || error.code === 'timeout') throw error;
    throw timedOut(error);
  }
}

const timedOut = ({ message, next, details }: StellarError) =>
  new StellarError('timeout', `Timed out; the last answer was: ${message}`, ...next).with({
    details,
  });
