import { graceMs, monotonic, pause, throwIfInterrupted } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { command, run } from '../../core/next-step.ts';
import { jsonObject } from '../../core/text/formats.ts';
import { apiError } from './errors.ts';
import { type Answer, type Request, StaleConnection, Transport } from './transport.ts';

const restartPauseMs = 500;

/** Sends requests until they are answered, and retries them while the server restarts, is too busy, or requires a new token. */
export class Requests extends Transport {
  readonly restarts = new Restarts();
  #isClosed = false;

  close(): void {
    this.#isClosed = true;
    this.credentials.close();
  }

  /** The JSON answer to a request. @throws ApiError if the server refuses it */
  async json<T>(request: Request): Promise<T> {
    let answer = await this.answer(request);
    // A token may be revoked before it expires: request a new one, once.
    if (answer.status === 401) answer = await this.answer(request);
    if (answer.status >= 300) throw apiError(this.cluster, answer.status, answer.text);
    const document = jsonObject(answer.text);
    if (document === undefined) throw this.notAnApiServer();
    return document as T;
  }

  notAnApiServer(): StellarError {
    const { context, server } = this.cluster;
    return new StellarError(
      'api-error',
      `${server} does not answer like a Kubernetes API server.`,
      {
        next: [
          run(
            command`kubectl config view --minify --context ${context}`,
            'Is this the right server?',
          ),
        ],
      },
    );
  }

  /** Sends a request, and retries while the server restarts or is too busy (429). All requests here are safe to retry. */
  async answer(request: Request): Promise<Answer> {
    for (let busy = 0; ; ) {
      throwIfInterrupted(this.connection.signal);
      const outcome = await this.send(request).catch((error: Error) => error);
      const isStale = outcome instanceof StaleConnection;
      const again =
        isStale || (this.restarts.mayBeRestarting(outcome) && !this.connection.deadline.passed);
      // Closing aborts requests that nothing waits for.
      if (again && !this.#isClosed) {
        if (!isStale) await pause(restartPauseMs, this.connection);
        continue;
      }
      if (outcome instanceof Error) throw outcome;
      busy += 1;
      if (!isTooEarly(outcome) || busy >= 5 || this.connection.deadline.passed) return outcome;
      await pause(busyPauseMs(outcome), this.connection);
    }
  }
}

/** Too busy, or not all of a server that has just started: it has done nothing (k8s.io/apiserver, notFoundHandler). */
const isTooEarly = ({ status, text }: Answer): boolean =>
  status === 429 || text.includes('before all known HTTP paths have been installed');

/** A kind that was just defined answers 429 for some milliseconds, with a Retry-After of a whole second. */
function busyPauseMs({ text, retryAfter }: Answer): number {
  return text.includes('storage is (re)initializing') ? 100 : (retryAfter ?? 1) * 1000;
}

/** Status codes that a server may send right after its start, before it knows its users and roles. */
const startingUp = [401, 403, 500, 503];

/**
 * Distinguishes a restarting server from an unreachable one: it has answered before. For some seconds its connections are cut or
 * refused, and its first answers may be wrong.
 */
export class Restarts {
  #hasAnswered = false;
  #downSince: number | undefined;

  /** @param outcome an Answer, or the error of a request without one. @returns whether to retry */
  mayBeRestarting(outcome: Answer | Error): boolean {
    const isCut =
      outcome instanceof StellarError && outcome.code === 'unreachable' && this.#hasAnswered;
    if (isCut) this.#downSince ??= monotonic();
    const inTime = this.#downSince !== undefined && monotonic() - this.#downSince <= graceMs;
    if (outcome instanceof Error) return isCut && inTime;
    if (inTime && startingUp.includes(outcome.status)) return true;
    this.#hasAnswered = true;
    this.#downSince = undefined;
    return false;
  }
}
