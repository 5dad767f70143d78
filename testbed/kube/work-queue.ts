/** A failing key is retried after 5 ms, doubling to 16.7 minutes: client-go's default rate limiter. */
const retry = { first: 5, last: 1_000_000 };

/**
 * Handles keys one at a time, like client-go's work queues: a key added while it waits is not duplicated, one added while it is
 * handled is handled again, and a failing one is retried with back-off.
 */
export class WorkQueue {
  readonly #handle: (key: string) => Promise<void>;
  readonly #onError: (key: string, error: Error) => void;
  readonly #signal: AbortSignal;
  readonly #waiting = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #later = new Map<string, { timer: NodeJS.Timeout; at: number }>();
  #busy = false;

  constructor(
    handle: (key: string) => Promise<void>,
    signal: AbortSignal,
    onError: (key: string, error: Error) => void,
  ) {
    this.#handle = handle;
    this.#onError = onError;
    this.#signal = signal;
    signal.addEventListener('abort', () => {
      for (const { timer } of this.#later.values()) clearTimeout(timer);
    });
  }

  add(key: string): void {
    if (this.#signal.aborted) return;
    this.#waiting.add(key);
    void this.#work();
  }

  /** Adds a key later; of several times the earliest counts. */
  addAfter(key: string, milliseconds: number): void {
    if (this.#signal.aborted) return;
    const at = Date.now() + milliseconds;
    const present = this.#later.get(key);
    if (present && present.at <= at) return;
    clearTimeout(present?.timer);
    const timer = setTimeout(() => {
      this.#later.delete(key);
      this.add(key);
    }, milliseconds);
    this.#later.set(key, { timer, at });
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (const key of this.#waiting) {
      if (this.#signal.aborted) break;
      this.#waiting.delete(key);
      await this.#handleOne(key);
    }
    this.#busy = false;
  }

  async #handleOne(key: string): Promise<void> {
    try {
      await this.#handle(key);
      this.#failures.delete(key);
    } catch (error) {
      if (this.#signal.aborted) return;
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      this.#onError(key, error as Error);
      this.addAfter(key, Math.min(retry.first * 2 ** failures, retry.last));
    }
  }
}
