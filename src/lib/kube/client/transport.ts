import http, { type ClientRequest } from 'node:http';
import https from 'node:https';
import { type Deadline, requestTimeoutMs, throwIfInterrupted } from '../../engine/deadline.ts';
import { StellarError } from '../../engine/errors.ts';
import { inWords } from '../../engine/next-step.ts';
import { type SelectedContext, withoutCredentials } from '../kubeconfig/kubeconfig.ts';
import type { Answer } from '../restarts.ts';
import { readAnswer } from './answer.ts';
import { Credentials, type Server } from './credentials.ts';
import { type ClusterRef, describeCluster, networkError } from './errors.ts';
import type { PluginHost } from './exec-plugin.ts';
import { ProxyRefusal, type ProxyServer, ProxyUnreachable } from './proxy.ts';
import { Silence } from './silence.ts';

/** What stellarctl calls itself to a server. */
export const fieldManager = 'stellarctl';

export interface Request {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | undefined> | undefined;
  body?: object;
  contentType?: string;
  /** Another form of the answer than the object as it is. */
  accept?: string | undefined;
  /** Where the object is that is written, for a write that is refused when it has been done before. */
  object?: string | undefined;
}

/** Told about every request: method, address, status and time; never headers or bodies, which hold credentials. */
export type Trace = (line: string) => void;

/** Does work when its turn has come. */
export type Limit = <T>(work: () => Promise<T>) => Promise<T>;

/** What a client is made of. */
export interface Connection {
  context: SelectedContext;
  /** Bounds every request. */
  deadline: Deadline;
  /** Ends the requests under way. */
  signal: AbortSignal;
  trace: Trace | undefined;
  /** Bounds how many requests are under way, on this cluster and on others that share it. Who waits for that has sent nothing yet. */
  limit: Limit;
  /** Where exec plugins run; a context that has one cannot do without. */
  plugins: PluginHost | undefined;
}

/** A kept connection that the server had closed while it was not used: the request was not answered, and nothing is learnt of the server. */
export class StaleConnection extends StellarError {
  constructor(cluster: ClusterRef) {
    super('unreachable', `${describeCluster(cluster)} has closed a connection that was not used.`);
  }
}

/** Sends requests to one cluster, as one user, over kept connections. */
export class Transport {
  readonly cluster: ClusterRef;
  readonly credentials: Credentials;
  readonly #server: URL;
  readonly #deadline: Deadline;
  readonly #signal: AbortSignal;
  readonly #trace: Trace | undefined;
  readonly #limit: Limit;
  /** When something of an answer last came, milliseconds since the epoch. */
  #lastAnswer = 0;
  /** How far the cluster's clock is ahead of ours, in milliseconds. */
  #clockOffset = 0;

  constructor({ context, deadline, signal, trace, limit, plugins }: Connection) {
    this.#server = new URL(context.server);
    this.cluster = { context: context.name, server: withoutCredentials(context.server) };
    this.credentials = new Credentials(context, plugins);
    this.#deadline = deadline;
    this.#signal = signal;
    this.#trace = trace;
    this.#limit = limit;
  }

  /** The cluster's clock, in milliseconds since the epoch. */
  now(): number {
    return Date.now() + this.#clockOffset;
  }

  #noteClock(date: string | undefined): void {
    const offset = Date.parse(date ?? '') - Date.now();
    // The header has whole seconds, so that anything smaller is no difference.
    if (!Number.isNaN(offset)) this.#clockOffset = Math.abs(offset) < 2000 ? 0 : offset;
  }

  /** Sends a request once. @throws StaleConnection where it is to be sent again; StellarError where no whole answer came */
  send(request: Request): Promise<Answer> {
    return this.#limit(() => this.#send(request));
  }

  async #send(request: Request): Promise<Answer> {
    const server = await this.credentials.server();
    const silence = new Silence(this.#deadline, this.#signal);
    const cut = silence.signal;
    const started = Date.now();
    const sent = this.#open(request, server, cut);
    const heard = () => {
      this.#lastAnswer = Date.now();
      silence.broken();
    };
    let readBefore: number | undefined;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        // A request that has no connection yet does not tell that it was cut.
        cut.addEventListener('abort', () => reject(cut.reason), { once: true });
        sent.on('error', reject);
        sent.on('socket', ({ bytesRead }) => {
          silence.broken();
          readBefore = bytesRead;
        });
        sent.on('response', (response) => {
          heard();
          this.#noteClock(response.headers.date);
          const address = withoutCredentials(new URL(sent.path, this.#server).href);
          this.#trace?.(`${request.method} ${address} ${response.statusCode} ${Date.now() - started}ms`);
          if (response.statusCode === 401) this.credentials.refuse(server);
          // An API server has no such answer.
          if (response.statusCode === 407) reject(new ProxyRefusal(`407 ${response.statusMessage}`, 407));
          readAnswer(this.cluster, response, heard).then(resolve, reject);
        });
      });
    } catch (error) {
      throwIfInterrupted(this.#signal);
      if (error instanceof StellarError) throw error;
      if (silence.signal.aborted) throw this.#tooLate(silence, sent, server.proxy);
      if (isReset(error) && sent.reusedSocket && sent.socket?.bytesRead === readBefore)
        throw new StaleConnection(this.cluster);
      throw networkError(this.cluster, error, server.proxy);
    } finally {
      silence.stop();
    }
  }

  #open(
    { method, path, query = {}, body, contentType, accept }: Request,
    server: Server,
    signal: AbortSignal,
  ): ClientRequest {
    const url = new URL(this.#server);
    url.pathname = url.pathname.replace(/\/$/, '') + path;
    for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, value);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string | string[]> = {
      ...server.headers,
      // A container's log is plain text.
      Accept: accept ?? 'application/json, */*',
      'User-Agent': fieldManager,
    };
    if (text !== undefined) {
      headers['Content-Type'] = contentType ?? 'application/json';
      headers['Content-Length'] = String(Buffer.byteLength(text));
    }
    const { agent, auth, isForwarded } = server;
    const sent = (url.protocol === 'http:' ? http : https).request(url, {
      method,
      headers,
      agent,
      signal,
      ...(auth === undefined ? {} : { auth }),
      ...(isForwarded ? { path: withoutCredentials(url.href) } : {}),
    });
    sent.end(text);
    return sent;
  }

  #tooLate(silence: Silence, sent: ClientRequest, proxy: ProxyServer | undefined): StellarError {
    const isSilent = Date.now() - this.#lastAnswer >= requestTimeoutMs;
    if (silence.isDeadline && !isSilent) {
      return new StellarError('timeout', `${describeCluster(this.cluster)} did not answer before the deadline.`, {
        next: [inWords('Allow more time: --timeout')],
      });
    }
    const late = { code: 'ETIMEDOUT' };
    const isProxys = proxy !== undefined && !sent.socket;
    return networkError(this.cluster, isProxys ? new ProxyUnreachable('', { cause: late }) : late, proxy);
  }
}

const isReset = (error: unknown): boolean =>
  ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');
