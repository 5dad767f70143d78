import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import { type Deadline, pause, requestTimeoutMs, throwIfInterrupted } from '../deadline.ts';
import { StellarError } from '../errors.ts';
import { Credentials } from './credentials.ts';
import { ApiError, apiError, type ClusterRef, describeCluster, networkError } from './errors.ts';
import { type SelectedContext, withoutCredentials } from './kubeconfig.ts';
import type { KubeObject, ObjectMeta } from './objects.ts';
import { type PathOptions, pathOf, type Resource, resourceOf, resources } from './resources.ts';
import { type Answer, isAnswer, Restarts } from './restarts.ts';

interface Selection {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
}

/** What server-side apply did to an object. */
export type Change = 'created' | 'changed' | 'unchanged';

/** A verb on a resource, as access reviews ask about it. */
export interface Permission {
  verb: string;
  group: string;
  resource: string;
  subresource?: string;
  namespace?: string;
  name?: string;
}

/**
 * One cluster, as one user. Objects are plain JSON. Every method throws StellarError (ApiError where the server answered).
 * Writes are idempotent: apply, merge patches, deletes that accept absence.
 */
export interface Kube {
  readonly cluster: ClusterRef;
  /** True for a client that records writes instead of sending them: whoever waits for their effect must not. */
  readonly dryRun: boolean;
  /** @returns undefined when there is no such object, or no such kind. */
  get<T extends KubeObject>(
    resource: Resource,
    name: string,
    options?: Omit<PathOptions, 'name'>,
  ): Promise<T | undefined>;
  /** Read in pages of 500. @returns undefined when there is no such kind. */
  list<T extends KubeObject>(resource: Resource, selection?: Selection): Promise<T[] | undefined>;
  /** GET of any path, parsed as JSON. @returns undefined on 404. */
  read<T>(path: string): Promise<T | undefined>;
  /** The last lines that a container has written. @param options.previous of its run before this one. @returns undefined where there are none */
  logTail(
    pod: ObjectMeta,
    container: string,
    options: { lines: number; previous?: boolean },
  ): Promise<string[] | undefined>;
  /** POST to a collection or, with a name, to a sub-resource. */
  create<T>(resource: Resource, body: object, options?: PathOptions): Promise<T>;
  /** Server-side apply with field manager `stellarctl`, taking over fields that somebody else manages. */
  apply(object: KubeObject): Promise<Change>;
  /** JSON merge patch (RFC 7386). A `metadata.resourceVersion` in it makes it fail with 409 when the object has changed. */
  merge<T extends KubeObject>(
    resource: Resource,
    name: string,
    patch: object,
    options?: Omit<PathOptions, 'name'>,
  ): Promise<T>;
  /** PUT of a whole object or sub-resource; its resourceVersion guards against changes by others. */
  replace<T extends KubeObject>(resource: Resource, object: T, subresource?: string): Promise<T>;
  /** Deletes an object, and what it owns in the background. @param options.uid delete only this very object. @returns false where it was not there (any more) */
  delete(
    resource: Resource,
    name: string,
    options?: { namespace?: string | undefined; uid?: string | undefined },
  ): Promise<boolean>;
  /** Asks the server whether this user may do something (SelfSubjectAccessReview): not a write. */
  mayI(permission: Permission): Promise<boolean>;
  /** The cluster's clock, as its last answer told it, in milliseconds since the epoch: ages on it must not depend on ours. */
  now(): number;
  /** Whether the server has been away, as for a restart, since this client first reached it. */
  hasBeenAway(): boolean;
  close(): void;
}

/** As much of a client as looking takes. */
export type Reader = Pick<Kube, 'cluster' | 'get' | 'list'>;

/** Opens a client for a context: handed to library functions that come to know clusters only as they go. */
export type Connect = (context: SelectedContext) => Kube;

const fieldManager = 'stellarctl';
const pageSize = 500;
const restartPauseMs = 500;

interface Request {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | undefined>;
  body?: object;
  contentType?: string;
}

/** Told about every request: method, address, status and time; never headers or bodies, which hold credentials. */
export type Trace = (line: string) => void;

/** A client for one context. @param deadline bounds every request; @param signal ends those under way. */
export function connect(context: SelectedContext, deadline: Deadline, signal: AbortSignal, trace?: Trace): Kube {
  return new LiveKube(context, deadline, signal, trace);
}

class LiveKube implements Kube {
  readonly cluster: ClusterRef;
  readonly dryRun = false;
  readonly #server: URL;
  readonly #credentials: Credentials;
  readonly #deadline: Deadline;
  readonly #signal: AbortSignal;
  readonly #trace: Trace | undefined;
  readonly #restarts = new Restarts();
  /** When it last answered, milliseconds since the epoch. */
  #lastAnswer = 0;
  /** How far the cluster's clock is ahead of ours, in milliseconds. */
  #clockOffset = 0;
  #isClosed = false;

  constructor(context: SelectedContext, deadline: Deadline, signal: AbortSignal, trace: Trace | undefined) {
    this.#server = new URL(context.server);
    this.cluster = { context: context.name, server: withoutCredentials(context.server) };
    this.#credentials = new Credentials(context);
    this.#deadline = deadline;
    this.#signal = signal;
    this.#trace = trace;
  }

  async get<T extends KubeObject>(
    resource: Resource,
    name: string,
    options: Omit<PathOptions, 'name'> = {},
  ): Promise<T | undefined> {
    return this.read<T>(pathOf(resource, { ...options, name }));
  }

  async list<T extends KubeObject>(resource: Resource, selection: Selection = {}): Promise<T[] | undefined> {
    try {
      return await this.#listPages(resource, selection);
    } catch (error) {
      // The server has forgotten the list that the next page belongs to: a new list, as client-go does.
      if (error instanceof ApiError && error.status === 410) return this.#listPages(resource, selection);
      if (error instanceof ApiError && error.status === 400 && selection.labelSelector !== undefined) {
        throw new StellarError('usage', `"${selection.labelSelector}" is not a label selector: ${error.words}`);
      }
      throw error;
    }
  }

  async #listPages<T extends KubeObject>(resource: Resource, selection: Selection): Promise<T[] | undefined> {
    const path = pathOf(resource, { namespace: selection.namespace });
    const items: T[] = [];
    let next: string | undefined;
    do {
      const query = { labelSelector: selection.labelSelector, limit: String(pageSize), continue: next };
      const page = await orUndefined(
        this.#json<{ metadata?: { continue?: string }; items: T[] | null }>({ method: 'GET', path, query }),
      );
      if (page === undefined) return undefined;
      for (const item of page.items ?? []) items.push(item);
      next = page.metadata?.continue || undefined;
    } while (next !== undefined);
    return items;
  }

  read<T>(path: string): Promise<T | undefined> {
    return orUndefined(this.#json<T>({ method: 'GET', path }));
  }

  async logTail(
    { namespace, name }: ObjectMeta,
    container: string,
    { lines, previous = false }: { lines: number; previous?: boolean },
  ): Promise<string[] | undefined> {
    const { status, text } = await this.#answer({
      method: 'GET',
      path: pathOf(resources.pods, { namespace, name, subresource: 'log' }),
      query: { container, tailLines: String(lines), previous: String(previous) },
    });
    // 400: the container has not started, or there was no run before this one.
    if (status === 404 || status === 400) return undefined;
    if (status >= 300) throw apiError(this.cluster, status, text);
    return text.split('\n').filter((line) => line.trim() !== '');
  }

  create<T>(resource: Resource, body: object, options: PathOptions = {}): Promise<T> {
    return this.#json<T>({ method: 'POST', path: pathOf(resource, options), query: { fieldManager }, body });
  }

  async apply(object: KubeObject): Promise<Change> {
    const resource = resourceOf(object);
    const { name, namespace } = object.metadata;
    const before = await this.get(resource, name, { namespace });
    const after = await this.#json<KubeObject>({
      method: 'PATCH',
      path: pathOf(resource, { namespace, name }),
      query: { fieldManager, force: 'true' },
      body: object,
      contentType: 'application/apply-patch+yaml',
    });
    if (before === undefined) return 'created';
    return isDeepStrictEqual(essenceOf(before), essenceOf(after)) ? 'unchanged' : 'changed';
  }

  merge<T extends KubeObject>(
    resource: Resource,
    name: string,
    patch: object,
    options: Omit<PathOptions, 'name'> = {},
  ): Promise<T> {
    return this.#json<T>({
      method: 'PATCH',
      path: pathOf(resource, { ...options, name }),
      query: { fieldManager },
      body: patch,
      contentType: 'application/merge-patch+json',
    });
  }

  replace<T extends KubeObject>(resource: Resource, object: T, subresource?: string): Promise<T> {
    const { name, namespace } = object.metadata;
    return this.#json<T>({
      method: 'PUT',
      path: pathOf(resource, { namespace, name, subresource }),
      query: { fieldManager },
      body: object,
    });
  }

  async delete(
    resource: Resource,
    name: string,
    { namespace, uid }: { namespace?: string | undefined; uid?: string | undefined } = {},
  ): Promise<boolean> {
    const body = { propagationPolicy: 'Background', ...(uid === undefined ? {} : { preconditions: { uid } }) };
    try {
      await this.#json({ method: 'DELETE', path: pathOf(resource, { namespace, name }), body });
      return true;
    } catch (error) {
      // A conflict means that another object has taken the place of the one that was meant.
      if (error instanceof ApiError && (error.status === 404 || (error.status === 409 && uid !== undefined)))
        return false;
      throw error;
    }
  }

  async mayI(permission: Permission): Promise<boolean> {
    const { status } = await this.#json<{ status?: { allowed?: boolean } }>({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: permission },
      },
    });
    return status?.allowed === true;
  }

  now(): number {
    return Date.now() + this.#clockOffset;
  }

  hasBeenAway(): boolean {
    return this.#restarts.hasBeenAway;
  }

  close(): void {
    this.#isClosed = true;
    this.#credentials.close();
  }

  #noteClock(date: string | undefined): void {
    const offset = Date.parse(date ?? '') - Date.now();
    // The header has whole seconds, so that anything smaller is no difference.
    if (!Number.isNaN(offset)) this.#clockOffset = Math.abs(offset) < 2000 ? 0 : offset;
  }

  async #json<T>(request: Request): Promise<T> {
    let answer = await this.#answer(request);
    if (answer.status === 401) {
      // An exec plugin's token may have been revoked before its expiry: ask for a new one, once.
      this.#credentials.forget();
      answer = await this.#answer(request);
    }
    if (answer.status >= 300) throw apiError(this.cluster, answer.status, answer.text);
    try {
      return JSON.parse(answer.text) as T;
    } catch {
      throw new StellarError('api-error', `${this.cluster.server} does not answer like a Kubernetes API server.`, {
        hint: `Is this the right server? kubectl config view --minify --context ${this.cluster.context}`,
      });
    }
  }

  /** Sends a request, again while the server restarts or says that it is too busy (429). Every request here may be sent twice. */
  async #answer(request: Request): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      throwIfInterrupted(this.#signal);
      const outcome = await this.#send(request).catch((error: unknown) => error);
      // Closing cuts what nobody waits for any more.
      if (this.#restarts.mayBeRestarting(outcome) && !this.#deadline.passed && !this.#isClosed) {
        await pause(restartPauseMs, this.#deadline, this.#signal);
        continue;
      }
      if (!isAnswer(outcome)) throw outcome;
      if (outcome.status !== 429 || attempt >= 5 || this.#deadline.passed) return outcome;
      await pause(busyPauseMs(outcome), this.#deadline, this.#signal);
    }
  }

  async #send(request: Request): Promise<Answer> {
    const connection = await this.#credentials.connection();
    const url = new URL(this.#server);
    url.pathname = url.pathname.replace(/\/$/, '') + request.path;
    for (const [key, value] of Object.entries(request.query ?? {}))
      if (value !== undefined) url.searchParams.set(key, value);
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers: Record<string, string | string[]> = {
      ...connection.headers,
      // A container's log is plain text.
      Accept: 'application/json, */*',
      'User-Agent': fieldManager,
    };
    if (body !== undefined) {
      headers['Content-Type'] = request.contentType ?? 'application/json';
      headers['Content-Length'] = String(Buffer.byteLength(body));
    }
    const limit = this.#deadline.requestTimeout();
    const timeout = AbortSignal.timeout(limit);
    const started = Date.now();
    const sent = (url.protocol === 'http:' ? http : https).request(url, {
      method: request.method,
      headers,
      agent: connection.agent,
      signal: AbortSignal.any([timeout, this.#signal]),
      ...(connection.auth === undefined ? {} : { auth: connection.auth }),
    });
    try {
      return await new Promise<Answer>((resolve, reject) => {
        sent.on('error', reject);
        sent.on('response', (response) => {
          this.#lastAnswer = Date.now();
          this.#noteClock(response.headers.date);
          this.#trace?.(
            `${request.method} ${withoutCredentials(url.href)} ${response.statusCode} ${Date.now() - started}ms`,
          );
          readAnswer(response).then(resolve, reject);
        });
        sent.end(body);
      });
    } catch (error) {
      throwIfInterrupted(this.#signal);
      const isSilent = Date.now() - this.#lastAnswer >= requestTimeoutMs;
      if (timeout.aborted && limit < requestTimeoutMs && !isSilent) {
        throw new StellarError(
          'timeout',
          `${describeCluster(this.cluster)} answers too slowly for what was left of the time.`,
          {
            hint: 'Give it more: --timeout',
          },
        );
      }
      if (timeout.aborted) throw networkError(this.cluster, { code: 'ETIMEDOUT' });
      throw networkError(this.cluster, error);
    }
  }
}

/** A kind that has just been defined answers 429 for some milliseconds, and says to wait a whole second. */
function busyPauseMs({ text, retryAfter }: Answer): number {
  return text.includes('storage is (re)initializing') ? 100 : (retryAfter ?? 1) * 1000;
}

/** What we apply of an object: not what the server and controllers keep in it, and change at any moment. */
function essenceOf(object: KubeObject): object {
  const { status, ...kept } = object as KubeObject & { status?: unknown };
  const { resourceVersion, generation, managedFields, ...metadata } = kept.metadata as ObjectMeta & {
    managedFields?: unknown;
  };
  return { ...kept, metadata };
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const retryAfter = Number(response.headers['retry-after']);
  return {
    status: response.statusCode ?? 0,
    text: Buffer.concat(chunks).toString('utf8'),
    retryAfter: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : undefined,
  };
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
