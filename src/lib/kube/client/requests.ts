import { command } from '../../engine/command-line.ts';
import { pause, throwIfInterrupted } from '../../engine/deadline.ts';
import { StellarError } from '../../engine/errors.ts';
import { run } from '../../engine/next-step.ts';
import type { KubeObject } from '../objects.ts';
import { type Answer, isAnswer, Restarts } from '../restarts.ts';
import { parseAnswer } from './answer.ts';
import { ApiError, apiError, type ClusterRef } from './errors.ts';
import { type Connection, fieldManager, type Request, StaleConnection, Transport } from './transport.ts';

const restartPauseMs = 500;

/** Sends requests until they are answered: again while the server restarts, is too busy, or wants a new token. */
export class Requests {
  readonly #transport: Transport;
  readonly #connection: Connection;
  readonly #restarts = new Restarts();
  #isClosed = false;

  constructor(connection: Connection) {
    this.#transport = new Transport(connection);
    this.#connection = connection;
  }

  get cluster(): ClusterRef {
    return this.#transport.cluster;
  }

  get hasBeenAway(): boolean {
    return this.#restarts.hasBeenAway;
  }

  now(): number {
    return this.#transport.now();
  }

  close(): void {
    this.#isClosed = true;
    this.#transport.credentials.close();
  }

  /** The JSON that a request is answered with. @throws ApiError where it is refused */
  async json<T>(request: Request): Promise<T> {
    let answer = await this.answer(request);
    // A token may have been revoked before its expiry: it is obtained anew, once.
    if (answer.status === 401) answer = await this.answer(request);
    // Sent again, a deletion finds nothing more where its first sending has done it.
    if (answer.status === 404 && request.method === 'DELETE' && answer.unansweredSince !== undefined) return {} as T;
    const own = answer.status === 409 ? await this.#ownWrite(request, answer) : undefined;
    if (own !== undefined) return own as T;
    if (answer.status >= 300) throw apiError(this.cluster, answer.status, answer.text);
    const document = parseAnswer(answer.text);
    if (document === undefined) throw this.notAnApiServer();
    return document as T;
  }

  notAnApiServer(): StellarError {
    return new StellarError('api-error', `${this.cluster.server} does not answer like a Kubernetes API server.`, {
      next: [run(command`kubectl config view --minify --context ${this.cluster.context}`, 'Is this the right server?')],
    });
  }

  /** The object, where a write was refused because it had been done when it was first sent, and its answer was lost. */
  async #ownWrite({ object, body }: Request, { unansweredSince }: Answer): Promise<KubeObject | undefined> {
    if (unansweredSince === undefined || object === undefined || body === undefined) return undefined;
    const found = await this.json<KubeObject>({ method: 'GET', path: object }).catch((error: unknown) => {
      if (error instanceof ApiError) return undefined;
      throw error;
    });
    return found !== undefined && isOwnWrite(found, body, fieldManager, unansweredSince) ? found : undefined;
  }

  /** Sends a request, again while the server restarts or says that it is too busy (429). Every request here may be sent twice. */
  async answer(request: Request): Promise<Answer> {
    const { deadline, signal } = this.#connection;
    const sent = this.now();
    let unansweredSince: number | undefined;
    for (let busy = 0; ; ) {
      throwIfInterrupted(signal);
      const outcome = await this.#transport.send(request).catch((error: unknown) => error);
      const isStale = outcome instanceof StaleConnection;
      const again = isStale || (this.#restarts.mayBeRestarting(outcome) && !deadline.passed);
      // Closing cuts what nobody waits for any more.
      if (again && !this.#isClosed) {
        unansweredSince = sent;
        if (!isStale) await pause(restartPauseMs, deadline, signal);
        continue;
      }
      if (!isAnswer(outcome)) throw outcome;
      busy += 1;
      if (outcome.status !== 429 || busy >= 5 || deadline.passed) return { ...outcome, unansweredSince };
      await pause(busyPauseMs(outcome), deadline, signal);
    }
  }
}

/** A kind that has just been defined answers 429 for some milliseconds, and says to wait a whole second. */
function busyPauseMs({ text, retryAfter }: Answer): number {
  return text.includes('storage is (re)initializing') ? 100 : (retryAfter ?? 1) * 1000;
}

/** Times in objects have whole seconds. */
const resolutionMs = 1000;

/**
 * Whether an object is as a write of ours has made it. A write whose answer was lost is sent again, and then refused (409) because
 * the first one has done its work: without this, the run would deny what it has written.
 * @param body what was sent: an object, or a merge patch
 * @param sent when it was first sent, by the cluster's clock, in milliseconds since the epoch
 */
function isOwnWrite(object: KubeObject, body: object, manager: string, sent: number): boolean {
  const { managedFields = [] } = object.metadata;
  const wroteSince = managedFields.some(
    (entry) => entry.manager === manager && Date.parse(entry.time ?? '') >= sent - resolutionMs,
  );
  return wroteSince && contains(object, withoutGuards(body));
}

/** What of a body says which object it is for, rather than what is to be in it. */
function withoutGuards(body: object): object {
  const { metadata, ...rest } = body as KubeObject;
  const { labels, annotations, finalizers } = metadata ?? {};
  return { ...rest, metadata: { labels, annotations, finalizers } };
}

/** Whether everything that is wanted is there. What is null is not to be there, as in a merge patch. */
function contains(present: unknown, wanted: unknown): boolean {
  if (wanted === undefined) return true;
  if (wanted === null) return present === null || present === undefined;
  if (Array.isArray(wanted))
    return (
      Array.isArray(present) &&
      present.length === wanted.length &&
      wanted.every((item, index) => contains(present[index], item))
    );
  if (typeof wanted !== 'object') return present === wanted;
  const values = (present ?? {}) as Record<string, unknown>;
  return Object.entries(wanted).every(([key, value]) => contains(values[key], value));
}
