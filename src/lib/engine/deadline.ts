import { setTimeout as sleep } from 'node:timers/promises';
import { StellarError } from './errors.ts';
import { inWords } from './next-step.ts';
import type { Run } from './run.ts';

/** How long what may pass is given to recover before it is believed: a server that restarts, a stage that has failed. */
export const graceMs = 15_000;

/** How long a server, or another program, may take to answer; for an answer in pieces, until the next of them. */
export const requestTimeoutMs = 10_000;

/**
 * How long one address of a server may take to be connected to while there is another one. Node's own 250 ms pass on a busy machine or
 * a slow network, and count as a server that does not answer where the other address is of no use.
 */
export const addressTimeoutMs = 3_000;

/** One deadline for a whole command. A timeout of 0 means: look once, wait for nothing. */
export class Deadline {
  #end = 0;
  #once = false;

  /** @param timeoutMs milliseconds from now */
  constructor(timeoutMs: number) {
    this.restart(timeoutMs);
  }

  /** Begins anew, for whoever looks again. @param timeoutMs milliseconds from now */
  restart(timeoutMs: number): void {
    this.#once = timeoutMs === 0;
    this.#end = Date.now() + timeoutMs;
  }

  /** Goes on without an end, for what a person ends. */
  lift(): void {
    this.#once = false;
    this.#end = Number.POSITIVE_INFINITY;
  }

  get passed(): boolean {
    return this.#once || Date.now() >= this.#end;
  }

  /** Milliseconds that one request may still take: never more than `most`, and never so little that a healthy server cannot answer. */
  requestTimeout(most = requestTimeoutMs): number {
    if (this.#once) return most;
    return Math.min(most, Math.max(1000, this.#end - Date.now()));
  }

  /** Milliseconds left; 0 when the deadline has passed. */
  get remaining(): number {
    return this.#once ? 0 : Math.max(0, this.#end - Date.now());
  }
}

/**
 * Sleeps before the next look, no longer than the deadline allows.
 * @throws StellarError `interrupted` when the signal fires.
 */
export async function pause(ms: number, deadline: Deadline, signal: AbortSignal): Promise<void> {
  throwIfInterrupted(signal);
  await sleep(Math.min(ms, deadline.remaining), undefined, { signal }).catch(() => throwIfInterrupted(signal));
}

export function throwIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted)
    throw new StellarError('interrupted', 'Interrupted.', { next: [inWords('To resume, rerun the command.')] });
}

/**
 * Before something that takes minutes: `--timeout 0` looks, and begins nothing that it could only break off. A dry run begins nothing.
 * @param why what is not so yet
 * @throws StellarError `timeout`
 */
export function requireTime({ deadline, dryRun }: Run, why: string): void {
  if (deadline.passed && !dryRun)
    throw new StellarError('timeout', `${why}, and the deadline has passed.`, {
      next: [inWords('Allow more time: --timeout 15m')],
    });
}
