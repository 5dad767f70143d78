import { type Deadline, requestTimeoutMs } from '../../engine/deadline.ts';

/**
 * The limit of one request: how long its server is silent. An answer that is long, or comes over a slow link, is no fault; only the
 * deadline of the whole command ends it.
 */
export class Silence {
  readonly #tooLong = new AbortController();
  readonly #end: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(deadline: Deadline) {
    this.#end = Date.now() + deadline.requestTimeout(Number.POSITIVE_INFINITY);
    this.broken();
  }

  /** Aborts when it has lasted too long. */
  get signal(): AbortSignal {
    return this.#tooLong.signal;
  }

  /** Whether the time of the command is over, rather than the patience with a server. */
  get isDeadline(): boolean {
    return Date.now() >= this.#end;
  }

  /** To be told of every sign of life. */
  readonly broken = (): void => {
    this.stop();
    const limit = Math.min(requestTimeoutMs, this.#end - Date.now());
    this.#timer = setTimeout(() => this.#tooLong.abort(), limit);
  };

  stop(): void {
    clearTimeout(this.#timer);
  }
}
