import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { isIP } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, ConnectionError, inGoWords, isAlreadyExists, isNotFound } from './errors.ts';
import type { KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';

/** The target of a name for the caller. `address` is its name in errors. */
interface Route {
  host: string;
  port: number;
  address: string;
  /** Everything sent there is lost, which the caller notices after so many milliseconds. */
  lostAfter?: number;
}

/** Finds the address of a server, or throws a ConnectionError in the words of Go's dialer. */
export type Dial = (host: string, port: number) => Route;

/** A server and the credentials for it. */
export interface Connection {
  server: string;
  caPem?: string;
  certPem?: string;
  keyPem?: string;
  token?: string | (() => string);
  /** Act as another user, which the credentials must allow. */
  impersonate?: { user: string; groups?: string[] };
  dial?: Dial;
  /** Does not verify the server's certificate. */
  isUnverified?: boolean;
}

export interface ListOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

export interface PatchOptions {
  type?: 'merge' | 'json' | 'apply';
  subresource?: string;
  /** The field manager, which server-side apply requires. */
  fieldManager?: string;
  /** Whether server-side apply takes fields from other managers; it does by default. */
  force?: boolean;
}

export interface DeleteOptions {
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string };
}

export interface ObjectList<T> {
  items: T[];
  metadata: { resourceVersion: string };
}

export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: T;
}

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

const direct: Dial = (host, port) => ({ host, port, address: `${host}:${port}` });

/**
 * A small client of one API server over kept-alive connections. Objects are named by key: `name`, or `namespace/name`. Every
 * failure is an ApiError (the server's response) or a ConnectionError (no response).
 */
export class Api {
  readonly connection: Connection;
  readonly #agent: Agent;
  readonly #url: URL;
  #isClosed = false;

  constructor(connection: Connection) {
    this.connection = connection;
    this.#url = new URL(connection.server);
    this.#agent = new Agent({
      keepAlive: true,
      ca: connection.caPem,
      // The serving certificate of an API server of type k8s, which Go clients verify by its authority (kubeflex/k8s.ts).
      allowPartialTrustChain: true,
      rejectUnauthorized: !connection.isUnverified,
      cert: connection.certPem,
      key: connection.keyPem,
    });
  }

  get<T extends KubeObject>(resource: Resource, key: string): Promise<T> {
    return this.send<T>('GET', pathOf(resource, key));
  }

  /** Like get, but undefined if the object does not exist. */
  async find<T extends KubeObject>(resource: Resource, key: string): Promise<T | undefined> {
    try {
      return await this.get<T>(resource, key);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  list<T extends KubeObject>(
    resource: Resource,
    options: ListOptions = {},
  ): Promise<ObjectList<T>> {
    return this.send<ObjectList<T>>('GET', listPathOf(resource, options));
  }

  /** Creates an object; apiVersion and kind may be left out. */
  create<T extends KubeObject>(
    resource: Resource,
    object: Omit<T, 'metadata'> & { metadata: Partial<T['metadata']> },
  ): Promise<T> {
    return this.send<T>(
      'POST',
      collectionOf(resource, object.metadata.namespace),
      typed(resource, object),
    );
  }

  /** Creates an object, or does nothing if it exists. */
  async ensure<T extends KubeObject>(resource: Resource, object: T): Promise<void> {
    try {
      await this.create<T>(resource, object);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }

  /** Posts to a subresource, as a TokenRequest or a Binding. */
  post<T>(resource: Resource, key: string, subresource: string, body: unknown): Promise<T> {
    return this.send<T>('POST', `${pathOf(resource, key)}/${subresource}`, body);
  }

  update<T extends KubeObject>(resource: Resource, object: T, subresource?: string): Promise<T> {
    const path = pathOf(resource, keyOf(object));
    return this.send<T>(
      'PUT',
      subresource ? `${path}/${subresource}` : path,
      typed(resource, object),
    );
  }

  patch<T extends KubeObject>(
    resource: Resource,
    key: string,
    body: unknown,
    options: PatchOptions = {},
  ): Promise<T> {
    const type = options.type ?? 'merge';
    const path = options.subresource
      ? `${pathOf(resource, key)}/${options.subresource}`
      : pathOf(resource, key);
    const force = options.force ?? true;
    const query = type === 'apply' ? `?force=${force}&fieldManager=${options.fieldManager}` : '';
    return this.send<T>('PATCH', path + query, body, patchTypes[type]);
  }

  /** Deletes an object, or does nothing if it does not exist. */
  async delete(resource: Resource, key: string, options: DeleteOptions = {}): Promise<void> {
    try {
      await this.send('DELETE', pathOf(resource, key), options);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** The changes of a collection since a resourceVersion, until the server or the signal ends it. */
  async *watch<T extends KubeObject>(
    resource: Resource,
    options: ListOptions & { resourceVersion: string },
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${options.resourceVersion}`;
    const path = listPathOf(resource, options);
    const response = await this.#request(
      'GET',
      `${path}${path.includes('?') ? '&' : '?'}${query}`,
      undefined,
      undefined,
      signal,
    );
    if (response.statusCode !== 200)
      throw toError(response.statusCode ?? 0, await textOf(response));
    try {
      for await (const line of createInterface({
        input: response,
        crlfDelay: Number.POSITIVE_INFINITY,
      })) {
        if (line) yield JSON.parse(line) as WatchEvent<T>;
      }
    } finally {
      response.destroy();
    }
  }

  /** Sends one request and reads its JSON answer; text answers come back as strings. */
  async send<T>(
    method: string,
    path: string,
    body?: unknown,
    contentType = 'application/json',
  ): Promise<T> {
    const response = await this.#request(method, path, body, contentType);
    const text = await textOf(response);
    if ((response.statusCode ?? 0) >= 300) throw toError(response.statusCode ?? 0, text);
    return (response.headers['content-type']?.includes('json') ? JSON.parse(text) : text) as T;
  }

  /** Closes the kept connections, and rejects further requests: a stopped program does nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#agent.destroy();
  }

  async #request(
    method: string,
    path: string,
    body?: unknown,
    contentType?: string,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const url = new URL(path, this.#url);
    try {
      return await this.#roundTrip(url, method, payload, contentType, signal);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      return this.#roundTrip(url, method, payload, contentType, signal);
    }
  }

  #roundTrip(
    url: URL,
    method: string,
    payload?: Buffer,
    contentType?: string,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (this.#isClosed) return Promise.reject(new ConnectionError('the client is closed'));
    const failure = (text: string) =>
      new ConnectionError(`${goMethod(method)} "${url.href}": ${text}`);
    let route: Route;
    try {
      route = (this.connection.dial ?? direct)(host, Number(url.port || 443));
    } catch (error) {
      return Promise.reject(failure((error as Error).message));
    }
    if (route.lostAfter !== undefined) {
      const lost = () => Promise.reject(failure(`dial tcp ${route.address}: i/o timeout`));
      return sleep(route.lostAfter, undefined, { ...(signal && { signal }) }).then(lost);
    }
    const options: RequestOptions = {
      method,
      host: route.host,
      port: route.port,
      ...(!isIP(host) && { servername: host }),
      path: url.pathname + url.search,
      headers: {
        ...this.#headers(url),
        ...(payload && { 'content-type': contentType, 'content-length': payload.length }),
      },
      agent: this.#agent,
      ...(signal && { signal }),
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(options, resolve);
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        // A kept connection that the server closed meanwhile says nothing about its present state.
        if (outgoing.reusedSocket && error.code === 'ECONNRESET') reject(new StaleConnection());
        else reject(failure(inGoWords(error, route.address, host)));
      });
      outgoing.end(payload);
    });
  }

  #headers(url: URL): Record<string, string | string[]> {
    const { token, impersonate } = this.connection;
    return {
      host: url.host,
      accept: 'application/json',
      'user-agent': 'bed',
      ...(token && { authorization: `Bearer ${typeof token === 'string' ? token : token()}` }),
      ...(impersonate && { 'impersonate-user': impersonate.user }),
      ...(impersonate?.groups && { 'impersonate-group': impersonate.groups }),
    };
  }
}

class StaleConnection extends Error {}

/** `namespace/name` or `name`. */
export function keyOf(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

function typed(resource: Resource, object: object): object {
  return { apiVersion: resource.apiVersion, kind: resource.kind, ...object };
}

function collectionOf(resource: Resource, namespace?: string): string {
  const root = resource.apiVersion.includes('/') ? '/apis' : '/api';
  return `${root}/${resource.apiVersion}${namespace ? `/namespaces/${namespace}` : ''}/${resource.plural}`;
}

function pathOf(resource: Resource, key: string): string {
  const [first = '', second] = key.split('/');
  return second
    ? `${collectionOf(resource, first)}/${encodeURIComponent(second)}`
    : `${collectionOf(resource)}/${encodeURIComponent(first)}`;
}

function listPathOf(
  resource: Resource,
  { namespace, labelSelector, fieldSelector }: ListOptions,
): string {
  const query = new URLSearchParams({
    ...(labelSelector && { labelSelector }),
    ...(fieldSelector && { fieldSelector }),
  });
  return collectionOf(resource, namespace) + (query.size ? `?${query}` : '');
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function toError(status: number, text: string): ApiError {
  try {
    const { reason = '', message = text } = JSON.parse(text) as {
      reason?: string;
      message?: string;
    };
    return new ApiError(status, reason, message);
  } catch {
    return new ApiError(status, '', text);
  }
}

function goMethod(method: string): string {
  return method.charAt(0) + method.slice(1).toLowerCase();
}
