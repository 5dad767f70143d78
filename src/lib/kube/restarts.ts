import { monotonic } from '../engine/clock.ts';
import { graceMs } from '../engine/deadline.ts';
import { StellarError } from '../engine/errors.ts';

/** An answer of a server. */
export interface Answer {
  status: number;
  text: string;
  /** Seconds. */
  retryAfter: number | undefined;
  /** Whether the request was sent before, without an answer. */
  isRepeated?: boolean;
}

export function isAnswer(outcome: unknown): outcome is Answer {
  return typeof outcome === 'object' && outcome !== null && 'status' in outcome && 'text' in outcome;
}

/** Status codes that a server may send right after its start, before it knows its users and roles. */
const startingUp = [401, 403, 500, 503];

/**
 * Distinguishes a restarting server from an unreachable one: it has answered before. For some seconds its connections are cut or
 * refused, and its first answers may be wrong.
 */
export class Restarts {
  /** Whether the server has ever answered. */
  hasAnswered = false;
  /** Whether it was away since it first answered. */
  hasBeenUnavailable = false;
  #downSince: number | undefined;

  /** A kept connection was closed: the server has restarted, or does not keep connections that are not used. */
  connectionWasClosed(): void {
    this.#downSince ??= monotonic();
  }

  /** @param outcome an Answer, or the error of a request without one. @returns whether to retry */
  mayBeRestarting(outcome: unknown): boolean {
    const cut = outcome instanceof StellarError && outcome.code === 'unreachable';
    if ((cut && this.hasAnswered) || isStarting(outcome)) {
      this.#downSince ??= monotonic();
      this.hasBeenUnavailable = true;
    }
    const inTime = this.#downSince !== undefined && monotonic() - this.#downSince <= graceMs;
    if (inTime && (cut || (isAnswer(outcome) && startingUp.includes(outcome.status)))) return true;
    if (isAnswer(outcome)) {
      this.hasAnswered = true;
      this.#downSince = undefined;
    }
    return false;
  }
}

/**
 * Whether a server answers that it does not serve all of its paths yet: 503 with Retry-After (k8s.io/apiserver
 * pkg/util/notfoundhandler), which client-go repeats as well.
 */
const isStarting = (outcome: unknown): boolean =>
  isAnswer(outcome) && outcome.status === 503 && outcome.retryAfter !== undefined;
