import { monotonic } from '../engine/clock.ts';

/** What a subject waits for, and since when (engine/clock.ts). */
interface Wait {
  text: string;
  since: number;
}

/** The subjects of a command: the waiting ones, longest wait first, and the results of the others. */
export class Subjects {
  readonly waiting = new Map<string, Wait>();
  readonly failed = new Map<string, string>();
  #done = 0;

  waits(subject: string, text: string): void {
    this.waiting.set(subject, { text, since: this.waiting.get(subject)?.since ?? monotonic() });
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
