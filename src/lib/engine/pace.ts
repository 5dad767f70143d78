import { pause } from './deadline.ts';
import type { Run } from './run.ts';

/** Lets so many things a second begin, and some at once after a rest: a token bucket, as client-go's rate limiter. */
export class Pace {
  readonly #intervalMs: number;
  readonly #burst: number;
  readonly #run: Pick<Run, 'deadline' | 'signal'>;
  /** When the next one would begin if there had been no rest, milliseconds since the epoch. */
  #next = 0;

  constructor(perSecond: number, burst: number, run: Pick<Run, 'deadline' | 'signal'>) {
    this.#intervalMs = 1000 / perSecond;
    this.#burst = burst;
    this.#run = run;
  }

  /** Resolves when the next one may begin, or the deadline has passed. @throws StellarError `interrupted` */
  async turn(): Promise<void> {
    const now = Date.now();
    const at = Math.max(this.#next, now - this.#burst * this.#intervalMs) + this.#intervalMs;
    this.#next = at;
    if (at > now) await pause(at - now, this.#run.deadline, this.#run.signal);
  }
}
