import http from 'node:http';
import https from 'node:https';
import { type Deadline, requestTimeoutMs, throwIfInterrupted } from '../../engine/deadline.ts';
import { StellarError } from '../../engine/errors.ts';
import { inWords } from '../../engine/next-step.ts';
import { type SelectedContext, withoutCredentials } from '../kubeconfig/kubeconfig.ts';
import type { Answer } from '../restarts.ts';
import { AnswerTooLarge, readAnswer } from './answer.ts';
import { Credentials } from './credentials.ts';
import { type ClusterRef, describeCluster, networkError } from './errors.ts';

/** What stellarctl calls itself to a server. */
export const fieldManager = 'stellarctl';

export interface Request {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | undefined>;
  body?: object;
  contentType?: string;
  /** Where the object is that is written, for a write that is refused when it has been done before. */
  object?: string | undefined;
}

/** Told about every request: method, address, status and time; never headers or bodies, which hold credentials. */
export type Trace = (line: string) => void;

/** What a client is made of. */
export interface Connection {
  context: SelectedContext;
  /** Bounds every request. */
  deadline: Deadline;
  /** Ends the requests under way. */
  signal: AbortSignal;
  trace: Trace | undefined;
}

/** Sends requests to one cluster, as one user, over kept connections. */
export class Transport {
  readonly cluster: ClusterRef;
  readonly credentials: Credentials;
  readonly #server: URL;
  readonly #deadline: Deadline;
  readonly #signal: AbortSignal;
  readonly #trace: Trace | undefined;
  /** When it last answered, milliseconds since the epoch. */
  #lastAnswer = 0;
  /** How far the cluster's clock is ahead of ours, in milliseconds. */
  #clockOffset = 0;

  constructor({ context, deadline, signal, trace }: Connection) {
    this.#server = new URL(context.server);
    this.cluster = { context: context.name, server: withoutCredentials(context.server) };
    this.credentials = new Credentials(context);
    this.#deadline = deadline;
    this.#signal = signal;
    this.#trace = trace;
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

  /** Sends a request once. @throws StellarError where no whole answer came */
  async send(request: Request): Promise<Answer> {
    const connection = await this.credentials.connection();
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
      // For agents of a proxy, which do not have it themselves.
      rejectUnauthorized: connection.rejectUnauthorized,
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
          readAnswer(this.cluster, response).then(resolve, reject);
        });
        sent.end(body);
      });
    } catch (error) {
      throwIfInterrupted(this.#signal);
      if (error instanceof AnswerTooLarge) throw error;
      const isSilent = Date.now() - this.#lastAnswer >= requestTimeoutMs;
      if (timeout.aborted && limit < requestTimeoutMs && !isSilent) {
        throw new StellarError(
          'timeout',
          `${describeCluster(this.cluster)} answers too slowly for what was left of the time.`,
          { next: [inWords('Give it more: --timeout')] },
        );
      }
      if (timeout.aborted) throw networkError(this.cluster, { code: 'ETIMEDOUT' });
      throw networkError(this.cluster, error);
    }
  }
}
