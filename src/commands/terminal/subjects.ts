import { monotonic } from '../../lib/core/clock.ts';
import { formatElapsed } from '../../lib/core/duration.ts';

/** The subjects of a command: the waiting ones, longest wait first, and the results of the others. */
export class Subjects {
  /** What each waits for. */
  readonly waiting = new Map<string, string>();
  readonly failed = new Map<string, string>();
  #done = 0;
  #started = monotonic();
  #stopped: number | undefined;

  /** The time since the command started, without what a person took to answer: the only duration that is shown. */
  get elapsed(): string {
    return formatElapsed(monotonic() - this.#started);
  }

  stop(): void {
    this.#stopped ??= monotonic();
  }

  resume(): void {
    if (this.#stopped !== undefined) this.#started += monotonic() - this.#stopped;
    this.#stopped = undefined;
  }

  waits(subject: string, text: string): void {
    this.waiting.set(subject, text);
  }

  stopsWaiting(subject: string): void {
    this.waiting.delete(subject);
  }

  isDone(subject: string): void {
    this.waiting.delete(subject);
    this.#done += 1;
  }

  hasFailed(subject: string, text: string): void {
    this.waiting.delete(subject);
    this.failed.set(subject, text);
  }

  /** As `12 waiting · 280 done · 8 failed`. */
  get counts(): string {
    const counts = { waiting: this.waiting.size, done: this.#done, failed: this.failed.size };
    return Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([what, count]) => `${count} ${what}`)
      .join(' · ');
  }
}
