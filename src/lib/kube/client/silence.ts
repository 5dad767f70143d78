import { type Deadline, requestTimeoutMs } from '../../engine/deadline.ts';

/**
 * The limits of one request: how long its server is silent, and the run that it belongs to. An answer that is long, or comes over a
 * slow link, is no fault; only the deadline of the whole command ends it.
 */
export class Silence {
  readonly #cut = new AbortController();
  readonly #run: AbortSignal;
  readonly #end: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param run ends the request as well. Not by AbortSignal.any: Node keeps its listeners, and with them all requests of the run. */
  constructor(deadline: Deadline, run: AbortSignal) {
    this.#run = run;
    run.addEventListener('abort', this.#interrupt);
    if (run.aborted) this.#interrupt();
    this.#end = Date.now() + deadline.requestTimeout(Number.POSITIVE_INFINITY);
    this.broken();
  }

  /** Aborts when it has lasted too long, or the run is interrupted. */
  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  /** Whether the time of the command is over, rather than the patience with a server. */
  get isDeadline(): boolean {
    return Date.now() >= this.#end;
  }

  /** To be told of every sign of life. */
  readonly broken = (): void => {
    clearTimeout(this.#timer);
    const limit = Math.min(requestTimeoutMs, this.#end - Date.now());
    this.#timer = setTimeout(() => this.#cut.abort(), limit);
  };

  readonly #interrupt = (): void => this.#cut.abort(this.#run.reason);

  /** The request has ended. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#run.removeEventListener('abort', this.#interrupt);
  }
}
