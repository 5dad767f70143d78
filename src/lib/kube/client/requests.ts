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

/** Sends requests until they are answered, and retries them while the server restarts, is too busy, or requires a new token. */
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

  get hasBeenUnavailable(): boolean {
    return this.#restarts.hasBeenUnavailable;
  }

  now(): number {
    return this.#transport.now();
  }

  close(): void {
    this.#isClosed = true;
    this.#transport.credentials.close();
  }

  /** The JSON answer to a request. @throws ApiError if the server refuses it */
  async json<T>(request: Request): Promise<T> {
    let answer = await this.answer(request);
    // A token may be revoked before it expires: request a new one, once.
    if (answer.status === 401) answer = await this.answer(request);
    // A retried deletion finds nothing if its first attempt succeeded.
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

  /** The object, if a write was refused because its first attempt succeeded and only the answer was lost. */
  async #ownWrite({ object, body }: Request, { unansweredSince }: Answer): Promise<KubeObject | undefined> {
    if (unansweredSince === undefined || object === undefined || typeof body !== 'object') return undefined;
    const found = await this.json<KubeObject>({ method: 'GET', path: object }).catch((error: unknown) => {
      if (error instanceof ApiError) return undefined;
      throw error;
    });
    return found !== undefined && isOwnWrite(found, body, fieldManager, unansweredSince) ? found : undefined;
  }

  /** Sends a request, and retries while the server restarts or is too busy (429). All requests here are safe to retry. */
  async answer(request: Request): Promise<Answer> {
    const { deadline, signal } = this.#connection;
    const sent = this.now();
    let unansweredSince: number | undefined;
    for (let busy = 0; ; ) {
      throwIfInterrupted(signal);
      const outcome = await this.#transport.send(request).catch((error: unknown) => error);
      const isStale = outcome instanceof StaleConnection;
      if (isStale) this.#restarts.connectionWasClosed();
      const again = isStale || (this.#restarts.mayBeRestarting(outcome) && !deadline.passed);
      // Closing aborts requests that nothing waits for.
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

/** A kind that was just defined answers 429 for some milliseconds, with a Retry-After of a whole second. */
function busyPauseMs({ text, retryAfter }: Answer): number {
  return text.includes('storage is (re)initializing') ? 100 : (retryAfter ?? 1) * 1000;
}

/** Times in objects have whole seconds. */
const resolutionMs = 1000;

/**
 * Whether an object is the result of a write of this run. A write whose answer was lost is retried, and then refused (409) because
 * the first attempt succeeded: without this check, the run would disown its own write.
 * @param body the request body: an object, or a merge patch
 * @param sent when it was first sent, by the cluster's clock, in milliseconds since the epoch
 */
function isOwnWrite(object: KubeObject, body: object, manager: string, sent: number): boolean {
  const { managedFields = [] } = object.metadata;
  const wroteSince = managedFields.some(
    (entry) => entry.manager === manager && Date.parse(entry.time ?? '') >= sent - resolutionMs,
  );
  return wroteSince && contains(object, withoutGuards(body));
}

/** A body without the fields that select the object. */
function withoutGuards(body: object): object {
  const { metadata, ...rest } = body as KubeObject;
  const { labels, annotations, finalizers } = metadata ?? {};
  return { ...rest, metadata: { labels, annotations, finalizers } };
}

/** Whether all wanted fields are present. As in a merge patch, null requires a field to be absent. */
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
