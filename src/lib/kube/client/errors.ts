import { STATUS_CODES } from 'node:http';
import type { V1Status } from '@kubernetes/client-node';
import { command } from '../../core/command-line.ts';
import { type ErrorCode, type ErrorDetails, StellarError } from '../../core/errors.ts';
import { jsonObject } from '../../core/is-object.ts';
import { advice, type NextStep, run } from '../../core/next-step.ts';
import { redactAuthorization } from '../../core/redact.ts';
import { describeProxy, hostOf, type ProxyServer } from './proxy.ts';

/** Names a cluster in messages: the context that the user knows, and its server. */
export interface ClusterRef {
  context: string;
  server: string;
  /** The step that shows whether it runs, if it is known how. */
  inspection?: NextStep | undefined;
  /** The step that writes the context again, if its entries have a source. */
  renewal?: NextStep | undefined;
  /** Of the token in its entries, if it is a JSON Web Token. */
  token?: { user: string | undefined; expires: Date | undefined };
}

export const describeCluster = ({ context, server }: ClusterRef): string => `${context} (${server})`;

/** An error answer of an API server. */
export class ApiError extends StellarError {
  readonly status: number;
  readonly reason: string;
  /** The server's own message. */
  readonly words: string;

  constructor(status: number, answer: V1Status, code: ErrorCode, message: string, details: ErrorDetails) {
    super(code, message, { ...details, passing: status >= 500 || status === 429 });
    this.name = 'ApiError';
    this.status = status;
    this.reason = answer.reason ?? '';
    this.words = answer.message ?? '';
  }
}

interface ApiFailure {
  code: ErrorCode;
  /** The text before the server's own message. */
  says: (cluster: string) => string;
  next?: (cluster: ClusterRef) => NextStep;
}

const apiFailures: Record<number, ApiFailure> = {
  400: { code: 'api-error', says: (cluster) => `${cluster} rejected the request as malformed` },
  401: {
    code: 'unauthorized',
    says: (cluster) => `${cluster} does not accept the credentials of this context`,
    next: (cluster) => cluster.renewal ?? newToken(cluster) ?? loginStep(cluster),
  },
  403: {
    code: 'forbidden',
    says: (cluster) => `Not allowed on ${cluster}`,
    next: ({ context }) => run(command`kubectl --context ${context} auth can-i --list`, 'See what is allowed'),
  },
  404: { code: 'not-found', says: (cluster) => `Not found on ${cluster}` },
  409: { code: 'conflict', says: (cluster) => `It was modified concurrently on ${cluster}` },
};

const loginStep = ({ context }: ClusterRef): NextStep =>
  run(command`kubectl --context ${context} auth whoami`, 'Log in again, or check them');

/** Nobody can log in as a service account: the kubeconfig has a token that somebody has requested for it. */
function newToken({ context, token }: ClusterRef): NextStep | undefined {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(token?.user ?? '') ?? [];
  if (namespace === undefined || name === undefined) return undefined;
  const create = command`kubectl -n ${namespace} create token ${name}`;
  return advice(`Write a new token into context ${context}; an administrator of the cluster requests one: ${create}`);
}

function whyRefused({ token }: ClusterRef): string {
  const isExpired = token?.expires !== undefined && token.expires.getTime() <= Date.now();
  return isExpired ? `: its token expired at ${token.expires?.toISOString()}` : '';
}

const otherApiFailure: ApiFailure = { code: 'api-error', says: (cluster) => `${cluster} refused` };

/** Makes the error for an API server's answer. `body` is the raw text, normally a Status. */
export function apiError(cluster: ClusterRef, status: number, body: string): ApiError {
  const parsed = parseStatus(body);
  const failure = apiFailures[status] ?? otherApiFailure;
  const causes = (parsed.details?.causes ?? []).map(({ field, message }) => `  ${field ?? ''}: ${message ?? ''}`);
  const words = status === 401 ? whyRefused(cluster) : `: ${parsed.message ?? `HTTP ${status}`}`;
  return new ApiError(status, parsed, failure.code, `${failure.says(describeCluster(cluster))}${words}`, {
    next: stepsOf(failure.next?.(cluster) ?? webhookStep(cluster, parsed.message)),
    details: causes.length > 1 ? causes : [],
  });
}

/** A webhook that cannot be called is a Service of that cluster; the message contains its address. */
function webhookStep({ context }: ClusterRef, message = ''): NextStep | undefined {
  const [, namespace] = /failed calling webhook .*https:\/\/[^."\s/]+\.([^."\s/]+)\.svc/s.exec(message) ?? [];
  if (namespace === undefined) return undefined;
  return run(command`kubectl --context ${context} -n ${namespace} get deployments,pods`, 'See whether it runs');
}

const stepsOf = (step: NextStep | undefined): NextStep[] => (step === undefined ? [] : [step]);

function parseStatus(body: string): V1Status {
  // Else an HTML page or plain text of a proxy.
  const line = body.trim().split('\n')[0]?.slice(0, 200);
  const status: V1Status = jsonObject(body) ?? (line ? { message: line } : {});
  // Proxies for debugging repeat what they were sent.
  return typeof status.message === 'string' ? { ...status, message: redactAuthorization(status.message) } : status;
}

interface NetworkFailure {
  code: ErrorCode;
  why: string;
  next?: (cluster: ClusterRef) => NextStep;
}

const unreachable = (why: string, next?: NetworkFailure['next']): NetworkFailure => ({
  code: 'unreachable',
  why,
  ...(next ? { next } : {}),
});
const untrusted = (why: string): NetworkFailure => ({
  code: 'tls-error',
  why,
  next: ({ context, inspection, renewal }) =>
    inspection ??
    renewal ??
    run(
      command`kubectl config view --minify --context ${context}`,
      'Is this the right cluster, and is its certificate authority in the kubeconfig current?',
    ),
});
const running = ({ context, inspection }: ClusterRef) =>
  inspection ?? run(command`kubectl --context ${context} cluster-info`, 'Is the cluster running?');

/** With Node's codes for failed connections and certificates. */
const networkFailures: [failure: NetworkFailure, ...codes: string[]][] = [
  [unreachable('no such host'), 'ENOTFOUND'],
  [unreachable('its name could not be looked up'), 'EAI_AGAIN'],
  [unreachable('connection refused', running), 'ECONNREFUSED'],
  [unreachable('the connection was closed', running), 'ECONNRESET', 'EPIPE', 'ECONNABORTED'],
  [unreachable('no route to the host'), 'EHOSTUNREACH'],
  [unreachable('no route to its network'), 'ENETUNREACH'],
  [unreachable('no answer in time', running), 'ETIMEDOUT'],
  [unreachable('it does not speak TLS'), 'EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'],
  [untrusted('its certificate has expired'), 'CERT_HAS_EXPIRED'],
  [untrusted('its certificate is not valid yet (do the clocks agree?)'), 'CERT_NOT_YET_VALID'],
  [
    untrusted('its certificate is signed by an unknown authority'),
    ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_GET_ISSUER_CERT'],
    ...['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_SIGNATURE_FAILURE'],
  ],
  [untrusted('its certificate is for other names'), 'ERR_TLS_CERT_ALTNAME_INVALID'],
];

/** The error at the deadline of a command, for a cluster that has not answered all of its requests. */
export const answersLate = (cluster: ClusterRef): StellarError =>
  new StellarError('timeout', `${describeCluster(cluster)} did not answer before the deadline.`, {
    next: [advice('Allow more time: --timeout')],
  });

/** Makes the error for a request without an answer. @param proxy the proxy of the request */
export function networkError(
  cluster: ClusterRef,
  error: unknown,
  proxy?: ProxyServer & { /** Whether it has made no connection. */ isCause: boolean },
): StellarError {
  if (proxy?.isCause) return proxyError(cluster, error as NodeJS.ErrnoException, proxy);
  const failure = networkFailureOf(error);
  const viaProxy = proxy === undefined ? '' : ` through the proxy ${describeProxy(proxy)}`;
  return new StellarError(failure.code, `Cannot reach ${describeCluster(cluster)}${viaProxy}: ${failure.why}.`, {
    next: [...new Set([...stepsOf(failure.next?.(cluster)), ...stepsOf(cluster.renewal)])],
    cause: error,
  });
}

/** Why a connection fails, in words without a full stop. @param error with Node's code */
export const whyNetworkFails = (error: unknown): string => networkFailureOf(error).why;

function networkFailureOf(error: unknown): NetworkFailure {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const [known] = networkFailures.find(([, ...codes]) => codes.includes(code)) ?? [];
  return known ?? (code.startsWith('ERR_SSL') ? untrusted(message) : unreachable(message || String(error)));
}

/** The cause is left out: an error of a SOCKS proxy has its password. @param error in the words of hpagent or socks */
function proxyError(cluster: ClusterRef, error: NodeJS.ErrnoException, proxy: ProxyServer): StellarError {
  const { message } = error;
  const [named, of] = [describeProxy(proxy), describeCluster(cluster)];
  const [, status] = /^Bad response: (\d+)$/.exec(message) ?? [];
  const refusal = status ? `${status} ${STATUS_CODES[status]}` : /^Socks5 .*/.exec(message)?.[0];
  const next = [status === '407' ? withUser : besideProxy(cluster, proxy)];
  if (refusal !== undefined)
    return new StellarError('unreachable', `The proxy ${named} does not connect to ${of}: ${refusal}.`, { next });
  const { code, why } = networkFailureOf(error);
  return new StellarError(code, `Cannot reach the proxy ${named} of ${of}: ${why}.`, { next });
}

const withUser = advice('Put its user and password into its address: http://USER:PASSWORD@HOST:PORT');

const besideProxy = ({ context, server }: ClusterRef, { setting }: ProxyServer): NextStep =>
  setting === 'proxy-url'
    ? run(command`kubectl config view --minify --context ${context}`, 'Is it the right proxy?')
    : run(command`export NO_PROXY="$NO_PROXY,"${hostOf(new URL(server))}`, 'If the server is reachable without it');

/** A server's answer; undefined if it refuses with one of these HTTP status codes. */
export async function unlessStatus<T>(answer: Promise<T>, ...statuses: readonly number[]): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && statuses.includes(error.status)) return undefined;
    throw error;
  }
}
