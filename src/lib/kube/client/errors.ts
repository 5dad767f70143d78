import { STATUS_CODES } from 'node:http';
import type { V1Status } from '@kubernetes/client-node';
import { rfc3339 } from '../../core/deadline.ts';
import { type ErrorCode, StellarError } from '../../core/errors.ts';
import { advice, command, type NextStep, run } from '../../core/next-step.ts';
import { jsonObject } from '../../core/text/formats.ts';
import { redactText } from '../../core/text/redact.ts';
import { describeProxy, hostOf, type ProxyServer } from './proxy.ts';

/** Names a cluster in messages: the context that the user knows, and its server. */
export interface ClusterRef {
  context: string;
  server: string;
  /** The step that shows whether it runs, if it is known how. */
  inspection?: NextStep | undefined;
  /** The step that starts it, if it is a local cluster. */
  start?: NextStep | undefined;
  /** The step that writes the context again, if its entries have a source. */
  renewal?: NextStep | undefined;
  /** The command that writes the context, if the kubeconfig does not have it. */
  writing?: string | undefined;
  /** Of the token in its entries, if it is a JSON Web Token. */
  token?: { user: string | undefined; expires: number | undefined };
}

export const describeCluster = ({ context, server }: ClusterRef) => `${context} (${server})`;

/** A line of kubectl with the context of a cluster, which is written first if the kubeconfig does not have it. */
export const inContext = ({ writing }: Pick<ClusterRef, 'writing'>, line: string): string =>
  writing === undefined ? line : `${writing} && ${line}`;

/** An error answer of an API server. */
export class ApiError extends StellarError {
  readonly status: number;
  /** The server's own message. */
  readonly words: string;

  override readonly passing: boolean;
  override readonly details: readonly string[];

  constructor(
    status: number,
    answer: V1Status,
    code: ErrorCode,
    message: string,
    ...next: readonly NextStep[]
  ) {
    super(code, message, ...next);
    this.name = 'ApiError';
    this.status = status;
    this.words = answer.message ?? '';
    this.passing = status >= 500 || status === 429;
    const causes = answer.details?.causes ?? [];
    this.details =
      causes.length > 1
        ? causes.map(({ field = '', message: why = '' }) => `  ${field}: ${why}`)
        : [];
  }
}

interface ApiFailure {
  code: ErrorCode;
  /** The text before the server's own message. */
  says: (cluster: string) => string;
  next?: (cluster: ClusterRef) => NextStep;
}

/** The step that lists what this user may do on a cluster. */
export function toSeeRights(cluster: ClusterRef): NextStep {
  const line = command`kubectl --context ${cluster.context} auth can-i --list`;
  return run(inContext(cluster, line), 'See what is allowed');
}

const apiFailures: Record<number, ApiFailure> = {
  401: {
    code: 'unauthorized',
    says: (cluster) => `${cluster} does not accept the credentials of this context`,
    next: (cluster) => cluster.renewal ?? newToken(cluster) ?? loginStep(cluster),
  },
  403: { code: 'forbidden', says: (cluster) => `Not allowed on ${cluster}`, next: toSeeRights },
  404: { code: 'not-found', says: (cluster) => `Not found on ${cluster}` },
  409: { code: 'conflict', says: (cluster) => `It was modified concurrently on ${cluster}` },
};

const loginStep = (cluster: ClusterRef) =>
  run(
    inContext(cluster, command`kubectl --context ${cluster.context} auth whoami`),
    'Log in again, or check them',
  );

/** Nobody can log in as a service account: the kubeconfig has a token that somebody has requested for it. */
export function newToken({ context, token }: ClusterRef): NextStep | undefined {
  const [, namespace, name] =
    /^system:serviceaccount:([^:]+):([^:]+)$/.exec(token?.user ?? '') ?? [];
  if (namespace === undefined || name === undefined) return undefined;
  if (namespace === 'kube-system' && /-(?:viewer|registrar|acceptor|deployer)$/.test(name))
    return advice(
      `Ask an administrator for access again: the access ${name} has ended, or was revoked`,
    );
  const create = command`kubectl -n ${namespace} create token ${name}`;
  return advice(
    `Write a new token into context ${context}; an administrator of the cluster requests one: ${create}`,
  );
}

function whyRefused({ token }: ClusterRef) {
  const { expires = Number.POSITIVE_INFINITY } = token ?? {};
  return expires <= Date.now() ? `: its token expired at ${rfc3339(expires)}` : '';
}

const otherApiFailure: ApiFailure = { code: 'api-error', says: (cluster) => `${cluster} refused` };

/** Makes the error for an API server's answer. `body` is the raw text, normally a Status. */
export function apiError(cluster: ClusterRef, status: number, body: string): ApiError {
  const parsed = parseStatus(body);
  const failure = apiFailures[status] ?? otherApiFailure;
  const words = status === 401 ? whyRefused(cluster) : `: ${parsed.message ?? `HTTP ${status}`}`;
  return new ApiError(
    status,
    parsed,
    failure.code,
    `${failure.says(describeCluster(cluster))}${words}`,
    ...[failure.next?.(cluster) ?? []].flat(),
  );
}

/** In characters: an invalid object is repeated whole. */
const longestMessage = 20_000;

function parseStatus(body: string): V1Status {
  // Else an HTML page or plain text of a proxy.
  const line = body.trim().split('\n')[0]?.slice(0, 200);
  const status: V1Status = jsonObject(body) ?? (line ? { message: line } : {});
  // Proxies for debugging repeat what they were sent.
  return typeof status.message === 'string'
    ? { ...status, message: redactText(status.message.slice(0, longestMessage)) }
    : status;
}

/** Words for Node's codes of failed connections and certificates. */
const whys: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'its name could not be looked up',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed',
  EPIPE: 'the connection was closed',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to its network',
  ETIMEDOUT: 'no answer in time',
  EPROTO: 'it does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet (do the clocks agree?)',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for other names',
};

/** Why a connection fails, in words without a full stop. @param error with Node's code */
export function whyNetworkFails(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const isUnknown = /ISSUER|SELF_SIGNED|SIGNATURE/.test(code);
  return (
    whys[code] ??
    (isUnknown ? 'its certificate is signed by an unknown authority' : message || String(error))
  );
}

const isUntrusted = (error: unknown) =>
  /CERT|SIGNATURE|^ERR_SSL_(?!WRONG|PACKET)/.test((error as NodeJS.ErrnoException).code ?? '');

function networkStep({ context, inspection, start, renewal }: ClusterRef, error: unknown) {
  if (inspection !== undefined) return inspection;
  return isUntrusted(error)
    ? (renewal ??
        run(
          command`kubectl config view --minify --context ${context}`,
          'Is this the right cluster, and is its certificate authority in the kubeconfig current?',
        ))
    : (start ?? run(command`kubectl --context ${context} cluster-info`, 'Is the cluster running?'));
}

/** The error at the deadline of a command, for a cluster that has not answered all of its requests. */
export const answersLate = (cluster: ClusterRef) =>
  new StellarError(
    'timeout',
    `${describeCluster(cluster)} did not answer before the deadline.`,
    advice('Allow more time: --timeout'),
  );

/** Makes the error for a request without an answer. @param proxy the proxy of the request */
export function networkError(
  cluster: ClusterRef,
  error: unknown,
  proxy?: ProxyServer & { /** Whether it has made no connection. */ isCause: boolean },
): StellarError {
  if (proxy?.isCause) return proxyError(cluster, error as NodeJS.ErrnoException, proxy);
  const viaProxy = proxy === undefined ? '' : ` through the proxy ${describeProxy(proxy)}`;
  return new StellarError(
    isUntrusted(error) ? 'tls-error' : 'unreachable',
    `Cannot reach ${describeCluster(cluster)}${viaProxy}: ${whyNetworkFails(error)}.`,
    ...new Set([networkStep(cluster, error), cluster.renewal ?? []].flat()),
  ).with({ cause: error });
}

/** The cause is left out: an error of a SOCKS proxy has its password. @param error in the words of hpagent or socks */
function proxyError(cluster: ClusterRef, error: NodeJS.ErrnoException, proxy: ProxyServer) {
  const { message } = error;
  const named = describeProxy(proxy);
  const of = describeCluster(cluster);
  const [, status] = /^Bad response: (\d+)$/.exec(message) ?? [];
  const refusal = status ? `${status} ${STATUS_CODES[status]}` : /^Socks5 .*/.exec(message)?.[0];
  return new StellarError(
    isUntrusted(error) ? 'tls-error' : 'unreachable',
    refusal === undefined
      ? `Cannot reach the proxy ${named} of ${of}: ${whyNetworkFails(error)}.`
      : `The proxy ${named} does not connect to ${of}: ${refusal}.`,
    besideProxy(cluster, proxy),
  );
}

const besideProxy = ({ context, server }: ClusterRef, { setting }: ProxyServer) =>
  setting === 'proxy-url'
    ? run(command`kubectl config view --minify --context ${context}`, 'Is it the right proxy?')
    : run(
        command`export NO_PROXY="$NO_PROXY,"${hostOf(new URL(server))}`,
        'If the server is reachable without it',
      );

/** A server's answer; undefined if it refuses with one of these HTTP status codes. */
export async function unlessStatus<T>(
  answer: Promise<T>,
  ...statuses: readonly number[]
): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && statuses.includes(error.status)) return undefined;
    throw error;
  }
}
