import { setTimeout as sleep } from 'node:timers/promises';
import { StellarError } from './errors.ts';
import { advice } from './next-step.ts';

/** The grace period of a failure that may pass, before it is reported: a server that restarts, a stage that has failed. */
export const graceMs = 15_000;

/** The timeout of a server, or of another program; for a streamed answer, the timeout between two pieces. */
export const requestTimeoutMs = 10_000;

/**
 * The connect timeout of one address of a server that has others. Node's own 250 ms pass on a busy machine or a slow network, and
 * then the server counts as unreachable if its other address does not work.
 */
export const addressTimeoutMs = 3_000;

/** One deadline for a whole command. A timeout of 0 means: read once, wait for nothing. */
export class Deadline {
  #end = 0;
  #once = false;

  /** @param timeoutMs milliseconds from now */
  constructor(timeoutMs: number) {
    this.restart(timeoutMs);
  }

  /** Restarts the deadline for another reading. @param timeoutMs milliseconds from now */
  restart(timeoutMs: number): void {
    this.#once = timeoutMs === 0;
    this.#end = monotonic() + timeoutMs;
  }

  /** Continues without a deadline, until the user stops the command. */
  disable(): void {
    this.#once = false;
    this.#end = Number.POSITIVE_INFINITY;
  }

  get passed(): boolean {
    return this.#once || monotonic() >= this.#end;
  }

  /** Whether no time is left to repeat what was refused. A timeout of 0 has no end: it does everything once. */
  get expired(): boolean {
    return !this.#once && this.passed;
  }

  /** Milliseconds that one request may still take: at most `most`, and never too few for a healthy server to answer. */
  requestTimeout(most = requestTimeoutMs): number {
    if (this.#once) return most;
    return Math.min(most, Math.max(1000, this.#end - monotonic()));
  }

  /** Milliseconds left; 0 after the deadline. */
  get remaining(): number {
    return this.#once ? 0 : Math.max(0, this.#end - monotonic());
  }
}

/** Sleeps before the next reading, at most until the deadline. @throws StellarError `interrupted` when the signal fires. */
export async function pause(ms: number, deadline: Deadline, signal: AbortSignal): Promise<void> {
  throwIfInterrupted(signal);
  await sleep(Math.min(ms, deadline.remaining), undefined, { signal }).catch(() => throwIfInterrupted(signal));
}

export function throwIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted)
    throw new StellarError('interrupted', 'Interrupted.', { next: [advice('To resume, rerun the command.')] });
}

/**
 * Guards an operation that takes minutes: `--timeout 0` reads, and starts nothing that it could only abort. A dry run starts
 * nothing.
 * @param why what is not ready yet
 * @throws StellarError `timeout`
 */
export function requireTime(
  { deadline, dryRun }: { deadline: Deadline; dryRun?: boolean | undefined },
  why: string,
): void {
  if (deadline.passed && !dryRun)
    throw new StellarError('timeout', `${why}, and the deadline has passed.`, {
      next: [advice('Allow more time: --timeout 15m')],
    });
}

/**
 * Whole milliseconds since the start of the process, by a clock that nobody can set: for deadlines, grace periods and durations. The
 * wall clock jumps when it is set; ages of objects are by the clock of their server (Kube.now).
 */
export const monotonic = (): number => Math.round(process.uptime() * 1000);
