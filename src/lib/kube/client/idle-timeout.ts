import { type Deadline, requestTimeoutMs } from '../../engine/deadline.ts';

/**
 * The limits of one request: how long its server may be silent, and the run that it belongs to. A long or slow answer is no
 * failure; only the deadline of the whole command ends it.
 */
export class IdleTimeout {
  readonly #cut = new AbortController();
  readonly #run: AbortSignal;
  readonly #end: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param run also ends the request. Without AbortSignal.any: Node keeps its listeners, and with them all requests of the run. */
  constructor(deadline: Deadline, run: AbortSignal) {
    this.#run = run;
    run.addEventListener('abort', this.#interrupt);
    if (run.aborted) this.#interrupt();
    this.#end = Date.now() + deadline.requestTimeout(Number.POSITIVE_INFINITY);
    this.reset();
  }

  /** Aborts when the silence has lasted too long, or when the run is interrupted. */
  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  /** Whether the deadline of the command has passed, and not the limit of the silence. */
  get isDeadline(): boolean {
    return Date.now() >= this.#end;
  }

  /** Called for every sign of life. */
  readonly reset = (): void => {
    clearTimeout(this.#timer);
    const limit = Math.min(requestTimeoutMs, this.#end - Date.now());
    this.#timer = setTimeout(() => this.#cut.abort(), limit);
  };

  readonly #interrupt = (): void => this.#cut.abort(this.#run.reason);

  /** Ends the limits together with the request. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#run.removeEventListener('abort', this.#interrupt);
  }
}
