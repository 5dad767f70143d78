import { once } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { pipeline, type Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import {
  graceMs,
  monotonic,
  pause,
  requestTimeoutMs,
  throwIfInterrupted,
  type Waiting,
} from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { command, run } from '../../core/next-step.ts';
import { isObject, jsonObject } from '../../core/text/formats.ts';
import { removed } from '../../core/text/redact.ts';
import { type SelectedContext, withoutCredentials } from '../kubeconfig/kubeconfig.ts';
import { Credentials, type PluginHost, type Server } from './credentials.ts';
import { answersLate, apiError, type ClusterRef, describeCluster, networkError } from './errors.ts';
import type { KubeObject } from './objects.ts';
import { claimsOf, type Ending, validitiesOf, validityOf } from './validity.ts';

/** The timeout of a request whose server sends other answers: over a slow link, a long list delays them. */
const delayedTimeoutMs = 60_000;

/** The name of stellarctl for servers. */
export const fieldManager = 'stellarctl';

export interface Request {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | undefined> | undefined;
  /** Becomes JSON. */
  body?: object;
  contentType?: string;
  /** The form of the answer, if it is not the plain object. */
  accept?: string | undefined;
  /** How many bytes are left for this answer and further ones, which have the same object. */
  within?: { bytes: number } | undefined;
}

/** Receives method, address, status and time of every request; never headers or bodies, which hold credentials. */
type Trace = (line: string) => void;

/** Runs work when its turn comes. */
export type Limit = <T>(work: () => Promise<T>) => Promise<T>;

/** The parts of a client. */
export interface Connection extends Waiting {
  context: SelectedContext;
  trace?: Trace | undefined;
  /**
   * Limits the requests in flight, on this cluster and on others that share the limit. A request that waits for it has not been
   * sent.
   */
  limit: Limit;
  /** At most so many connections. */
  connections: number;
  /** Where exec plugins run; required for a context that has one. */
  plugins?: PluginHost | undefined;
}

/**
 * A kept-alive connection that the server closed while it was idle: the request has no answer, and nothing is known about the
 * server.
 */
class StaleConnection extends StellarError {
  constructor(cluster: ClusterRef) {
    super('unreachable', `${describeCluster(cluster)} has closed a connection that was not used.`);
  }
}

/** Sends requests to one cluster, as one user, over kept-alive connections. */
class Transport {
  readonly cluster: ClusterRef;
  readonly credentials: Credentials;
  readonly #server: URL;
  protected readonly connection: Connection;
  #socket: Socket | undefined;
  /** When the last piece of an answer arrived (core/deadline.ts). */
  #lastAnswer = Number.NEGATIVE_INFINITY;
  /** The cluster's clock when the monotonic one began. Until it has answered, and while both agree, it is the local clock. */
  #clockStart = Date.now() - monotonic();

  constructor(connection: Connection) {
    const { context, plugins, connections } = connection;
    this.#server = new URL(context.server);
    const { name, server, inspection, start, renewal, writing, user } = context;
    this.cluster = {
      context: name,
      server: withoutCredentials(server),
      inspection,
      start,
      renewal,
      writing,
      token: claimsOf(user.token),
    };
    this.credentials = new Credentials(context, plugins, connections);
    this.connection = connection;
  }

  /** What ends by itself of the last connection: the server's certificate, and the user's entry. */
  validities(): Ending[] {
    const server =
      this.#socket instanceof TLSSocket ? this.#socket.getPeerX509Certificate() : undefined;
    const ofServer =
      server === undefined ? [] : [{ what: 'serving certificate', ...validityOf(server) }];
    return [...ofServer, ...validitiesOf(this.connection.context.user)];
  }

  /** The cluster's clock, in milliseconds since the epoch. */
  now(): number {
    return this.#clockStart + monotonic();
  }

  /** Sends a request once. @throws StaleConnection if it should be sent again; StellarError if no whole answer arrived */
  send(request: Request): Promise<Answer> {
    return this.connection.limit(async () => {
      const server = await this.credentials.server();
      try {
        return await this.#send(request, server);
      } catch (error) {
        const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
        const { deadline } = this.connection;
        if (!(await this.credentials.rejudge(server, code, deadline.requestTimeout()))) throw error;
        return await this.#send(request, await this.credentials.server());
      }
    });
  }

  async #send(request: Request, server: Server): Promise<Answer> {
    const started = monotonic();
    const end = started + this.connection.deadline.requestTimeout(Number.POSITIVE_INFINITY);
    const sent = this.#open(request, server);
    let release: (() => void) | undefined;
    let readBefore: number | undefined;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        // Not by the request's own signal: a request without a connection does not report the abort.
        const { heard, stop } = this.#limitSilence(end, () => {
          reject(noAnswer);
          sent.destroy();
        });
        release = stop;
        sent.on('error', reject);
        sent.on('socket', ({ bytesRead }) => {
          heard();
          readBefore = bytesRead;
        });
        sent.on('response', (response) => {
          const answered = () => {
            this.#lastAnswer = monotonic();
            heard();
          };
          answered();
          this.#note(response, sent, server, started);
          readAnswer(response, answered, server, request.within).then(resolve, reject);
        });
      });
    } catch (error) {
      throwIfInterrupted(this.connection.signal);
      if (error instanceof StellarError) throw error;
      if (
        error === noAnswer &&
        monotonic() >= end &&
        monotonic() - this.#lastAnswer < requestTimeoutMs
      )
        throw answersLate(this.cluster);
      if (isReset(error) && sent.reusedSocket && sent.socket?.bytesRead === readBefore)
        throw new StaleConnection(this.cluster);
      throw this.#failed(error, sent, server);
    } finally {
      release?.();
    }
  }

  /** Keeps what the beginning of an answer shows. @param started when its request was sent */
  #note(response: IncomingMessage, sent: ClientRequest, server: Server, started: number): void {
    const theirs = Date.parse(response.headers.date ?? '');
    const ours = Date.now();
    // The header has whole seconds: smaller differences do not count.
    if (!Number.isNaN(theirs))
      this.#clockStart = (Math.abs(theirs - ours) < 2000 ? ours : theirs) - monotonic();
    this.#socket = response.socket;
    const address = withoutCredentials(new URL(sent.path, this.#server).href);
    this.connection.trace?.(
      `${sent.method} ${address} ${response.statusCode} ${monotonic() - started}ms`,
    );
    if (response.statusCode === 401) this.credentials.refuse(server);
  }

  /** A request gets no connection if its proxy makes none. */
  #failed(error: unknown, sent: ClientRequest, { proxy }: Server): StellarError {
    return networkError(this.cluster, error, proxy && { ...proxy, isCause: !sent.socket });
  }

  /** Sends a request whose answer may have no end, and yields its text as it arrives, until the run ends or its deadline passes. @throws StellarError like send */
  async *stream(request: Request): AsyncGenerator<string> {
    const { signal, deadline } = this.connection;
    const server = await this.credentials.server();
    const started = monotonic();
    // It has its connection for itself.
    server.agent.maxSockets += 1;
    const sent = this.#open(request, server);
    const end = () => void sent.destroy();
    const unanswered = setTimeout(end, deadline.requestTimeout());
    // A deadline may be moved.
    const looking = setInterval(() => deadline.expired && end(), 250);
    signal.addEventListener('abort', end);
    try {
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      clearTimeout(unanswered);
      this.#note(response, sent, server, started);
      const { statusCode = 0 } = response;
      if (statusCode >= 300)
        throw apiError(
          this.cluster,
          statusCode,
          (await readAnswer(response, () => {}, server)).text,
        );
      yield* response.setEncoding('utf8') as AsyncIterable<string>;
    } catch (error) {
      throwIfInterrupted(signal);
      if (deadline.expired) throw answersLate(this.cluster);
      throw error instanceof StellarError ? error : this.#failed(error, sent, server);
    } finally {
      clearTimeout(unanswered);
      clearInterval(looking);
      signal.removeEventListener('abort', end);
      end();
      server.agent.maxSockets -= 1;
    }
  }

  /**
   * Ends a request whose server is silent for too long, at the deadline, and with the run. A long or slow answer is no failure.
   * Without AbortSignal.any: Node keeps its listeners, and with them all requests of the run.
   */
  #limitSilence(deadline: number, end: () => void) {
    let lastSign = monotonic();
    let timer: NodeJS.Timeout | undefined;
    const wait = () => {
      const delayed = Math.min(this.#lastAnswer + requestTimeoutMs, lastSign + delayedTimeoutMs);
      const remainingMs =
        Math.min(Math.max(lastSign + requestTimeoutMs, delayed), deadline) - monotonic();
      if (remainingMs <= 0) end();
      else timer = setTimeout(wait, remainingMs);
    };
    const { signal } = this.connection;
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    else wait();
    return {
      heard: () => {
        lastSign = monotonic();
      },
      stop: () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
      },
    };
  }

  #open(request: Request, server: Server): ClientRequest {
    const { method, path, query = {}, body, contentType, accept } = request;
    const url = new URL(this.#server);
    url.pathname = url.pathname.replace(/\/$/, '') + path;
    for (const [key, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(key, value);
    const text = body && JSON.stringify(body);
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
    const sent = (url.protocol === 'http:' ? http : https).request(url, {
      method,
      headers,
      agent: server.agent,
    });
    sent.end(text);
    return sent;
  }
}

/** The end of a request that takes too long, in the form of Node's errors. */
const noAnswer = { code: 'ETIMEDOUT' };

const isReset = (error: unknown) =>
  ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');

/** An answer of a server. */
export interface Answer {
  status: number;
  text: string;
  /** Seconds. */
  retryAfter: number | undefined;
}

/** In bytes: more than any page of a list, and less than what fits into memory. */
const longestAnswer = 256 * 1024 * 1024;
/** Of all pages together, of which most are not kept. */
export const longestList = 4 * longestAnswer;

/**
 * Reads a whole answer, and decompresses it if needed.
 * @param heard called for every piece that arrives @param server whose credentials an error does not repeat
 * @throws StellarError before it keeps more than its limit; Node's errors, also for an answer that cannot be decompressed
 */
async function readAnswer(
  response: IncomingMessage,
  heard: () => void,
  { headers }: Server,
  within = { bytes: longestList },
): Promise<Answer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of await unpacked(response, heard)) {
    length += chunk.length;
    within.bytes -= chunk.length;
    // Leaving the loop closes the connection.
    if (length > longestAnswer || within.bytes < 0)
      throw new StellarError(
        'api-error',
        'An answer of more than 256 MB, or a list of more than 1 GB, was not read.',
      );
    chunks.push(chunk);
  }
  const retryAfter = Number(response.headers['retry-after']);
  const status = response.statusCode ?? 0;
  const text = Buffer.concat(chunks).toString('utf8');
  // Proxies for debugging repeat what they were sent, a token also without the word Bearer.
  const [, sent] = / (.{6,})/.exec(String(headers.Authorization)) ?? [];
  return {
    status,
    text: status >= 300 && sent ? text.replaceAll(sent, removed) : text,
    retryAfter: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : undefined,
  };
}

async function unpacked(
  response: IncomingMessage,
  heard: () => void,
): Promise<AsyncIterable<Buffer>> {
  const pieces = async function* (): AsyncIterable<Buffer> {
    for await (const piece of response) {
      heard();
      yield piece as Buffer;
    }
  };
  if (response.headers['content-encoding'] !== 'gzip') return pieces();
  // Few answers are long enough to be compressed.
  const { createGunzip } = await import('node:zlib');
  // Errors are thrown where the result is read.
  return pipeline(pieces, createGunzip(), () => undefined) as Readable;
}

/**
 * The Kubernetes object in an answer. Conditions that are no objects are dropped: an API server rejects them only where a schema says
 * so.
 * @returns undefined for a value without the fields that every object has
 */
export function objectIn(value: unknown): KubeObject | undefined {
  if (!isObject(value) || !isObject(value.metadata) || !('name' in value.metadata))
    return undefined;
  const { status } = value;
  if (isObject(status) && status.conditions !== undefined)
    status.conditions = Array.isArray(status.conditions) ? status.conditions.filter(isObject) : [];
  return value as unknown as KubeObject;
}

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
      run(command`kubectl config view --minify --context ${context}`, 'Is this the right server?'),
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
const isTooEarly = ({ status, text }: Answer) =>
  status === 429 || text.includes('before all known HTTP paths have been installed');

/** A kind that was just defined answers 429 for some milliseconds, with a Retry-After of a whole second. */
function busyPauseMs({ text, retryAfter }: Answer) {
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
