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

  /** Adds time that does not count. @param ms milliseconds */
  extend(ms: number): void {
    this.#end += ms;
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

  /** A deadline for a part of the command, at most so many milliseconds from now. */
  within(ms: number): Deadline {
    return new Deadline(Math.min(ms, this.remaining));
  }

  /** Milliseconds left; 0 after the deadline. */
  get remaining(): number {
    return this.#once ? 0 : Math.max(0, this.#end - monotonic());
  }
}

/** The limits of a wait. */
export interface Waiting {
  deadline: Deadline;
  /** Fires on Ctrl-C. */
  signal: AbortSignal;
}

/** The limits of what does not end with the command. */
export const ownLimits = (ms: number): Waiting => ({
  deadline: new Deadline(ms),
  signal: new AbortController().signal,
});

/** Sleeps before the next reading, at most until the deadline. @throws StellarError `interrupted` when the signal fires. */
export async function pause(ms: number, { deadline, signal }: Waiting): Promise<void> {
  throwIfInterrupted(signal);
  await sleep(Math.min(ms, deadline.remaining), undefined, { signal }).catch(() =>
    throwIfInterrupted(signal),
  );
}

export function throwIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted)
    throw new StellarError('interrupted', 'Interrupted.', advice('To resume, rerun the command.'));
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
    throw new StellarError(
      'timeout',
      `${why}, and the deadline has passed.`,
      advice('Allow more time: --timeout 15m'),
    );
}

/**
 * Whole milliseconds since the start of the process, by a clock that nobody can set: for deadlines, grace periods and durations. The
 * wall clock jumps when it is set; ages of objects are by the clock of their server (Kube.now).
 */
export const monotonic = () => Math.round(process.uptime() * 1000);

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Parses a duration in kubectl's form: `90s`, `5m`, `1h30m`, or a plain number of seconds.
 * @returns milliseconds, or undefined for anything else.
 */
export function parseDuration(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g))
    total += Number(amount) * (unitMs[unit as string] as number);
  return total;
}

/** @param time in milliseconds since the epoch, or in another form of RFC 3339 */
export const rfc3339 = (time: number | string) => new Date(time).toISOString();

/**
 * An age as kubectl shows it in a table (apimachinery, duration.HumanDuration), without years: `12s`, `5m`, `3h20m`, `2d1h`. Negative ages (clocks
 * that differ) show as `0s`.
 */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  return days >= 8 || hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`;
}

/** When a problem began, after its sentence: ` (began 5m ago)`; empty if that is unknown. @param since RFC 3339 */
export const begun = (since: string | null | undefined, now: number) =>
  since ? ` (began ${formatAge(now - Date.parse(since))} ago)` : '';

/** An elapsed time for people: `0.4s`, `12.3s`, `2m5s`. */
export function formatElapsed(ms: number): string {
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
