import { monotonic } from '../../engine/clock.ts';
import { type Deadline, requestTimeoutMs } from '../../engine/deadline.ts';

/** The timeout of a request whose server sends other answers: over a slow link, a long list delays them. */
const delayedTimeoutMs = 60_000;

/**
 * The limits of one request: how long its server may be silent, and the run that it belongs to. A long or slow answer is no
 * failure; only the deadline of the whole command ends it.
 */
export class IdleTimeout {
  readonly #cut = new AbortController();
  readonly #run: AbortSignal;
  readonly #lastAnswer: () => number;
  readonly #end: number;
  #lastSign = monotonic();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param run also ends the request. Without AbortSignal.any: Node keeps its listeners, and with them all requests of the run.
   * @param lastAnswer when the server last sent a piece of any answer (clock.ts)
   */
  constructor(deadline: Deadline, run: AbortSignal, lastAnswer: () => number) {
    this.#run = run;
    this.#lastAnswer = lastAnswer;
    run.addEventListener('abort', this.#interrupt);
    if (run.aborted) this.#interrupt();
    this.#end = monotonic() + deadline.requestTimeout(Number.POSITIVE_INFINITY);
    this.#wait();
  }

  /** Aborts when the silence has lasted too long, or when the run is interrupted. */
  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  /** Whether the deadline of the command has passed, and not the limit of the silence. */
  get isDeadline(): boolean {
    return monotonic() >= this.#end;
  }

  /** Called for every sign of life. */
  readonly reset = (): void => {
    this.#lastSign = monotonic();
  };

  /** Waits until the silence may be too long. By then, there may have been a sign of life: it waits again. */
  #wait(): void {
    const silent = this.#lastSign + requestTimeoutMs;
    const delayed = Math.min(this.#lastAnswer() + requestTimeoutMs, this.#lastSign + delayedTimeoutMs);
    const left = Math.min(Math.max(silent, delayed), this.#end) - monotonic();
    if (left <= 0) this.#cut.abort();
    else this.#timer = setTimeout(() => this.#wait(), left);
  }

  readonly #interrupt = (): void => this.#cut.abort(this.#run.reason);

  /** Ends the limits together with the request. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#run.removeEventListener('abort', this.#interrupt);
  }
}
