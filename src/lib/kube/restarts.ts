import { graceMs } from '../engine/deadline.ts';
import { StellarError } from '../engine/errors.ts';

/** What a server has answered. */
export interface Answer {
  status: number;
  text: string;
  /** Seconds. */
  retryAfter: number | undefined;
  /** When the request was first sent, by the cluster's clock, where an answer to it was lost before this one came. */
  unansweredSince?: number | undefined;
}

export function isAnswer(outcome: unknown): outcome is Answer {
  return typeof outcome === 'object' && outcome !== null && 'status' in outcome && 'text' in outcome;
}

/** What a server that has just started may answer before it knows its users and roles. */
const startingUp = [401, 403, 500, 503];

/**
 * Tells a server that restarts from one that is not there: it has answered before. Its connections are cut or refused for some
 * seconds, and its first answers may be wrong.
 */
export class Restarts {
  /** Whether the server has answered at all. */
  hasAnswered = false;
  /** Whether it has been away since it first answered. */
  hasBeenAway = false;
  #downSince: number | undefined;

  /** @param outcome an Answer, or the error of a request that got none. @returns whether to try again */
  mayBeRestarting(outcome: unknown): boolean {
    const cut = outcome instanceof StellarError && outcome.code === 'unreachable';
    if (cut && this.hasAnswered) {
      this.#downSince ??= Date.now();
      this.hasBeenAway = true;
    }
    const inTime = this.#downSince !== undefined && Date.now() - this.#downSince <= graceMs;
    if (inTime && (cut || (isAnswer(outcome) && startingUp.includes(outcome.status)))) return true;
    if (isAnswer(outcome)) {
      this.hasAnswered = true;
      this.#downSince = undefined;
    }
    return false;
  }
}
