import { monotonic } from './clock.ts';
import { pause } from './deadline.ts';
import type { Run } from './run.ts';

/** Limits how many things start per second, with a burst after a rest: a token bucket, as client-go's rate limiter. */
export class RateLimiter {
  readonly #intervalMs: number;
  readonly #burst: number;
  readonly #run: Pick<Run, 'deadline' | 'signal'>;
  /** When the next one would start without a burst. */
  #next = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number, burst: number, run: Pick<Run, 'deadline' | 'signal'>) {
    this.#intervalMs = 1000 / perSecond;
    this.#burst = burst;
    this.#run = run;
  }

  /** Resolves when the next one may start, or at the deadline. @throws StellarError `interrupted` */
  async wait(): Promise<void> {
    const now = monotonic();
    const at = Math.max(this.#next, now - this.#burst * this.#intervalMs) + this.#intervalMs;
    this.#next = at;
    if (at > now) await pause(at - now, this.#run.deadline, this.#run.signal);
  }
}
