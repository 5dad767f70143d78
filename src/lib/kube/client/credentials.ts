import { readFile } from 'node:fs/promises';
import type { Agent as HttpAgent } from 'node:http';
import https from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { StellarError } from '../../engine/errors.ts';
import { inWords } from '../../engine/next-step.ts';
import type { ClusterEntry, ExecEntry, SelectedContext } from '../kubeconfig/kubeconfig.ts';
import { lookup } from './local-names.ts';

/** A context's server, as its user reaches it. */
export interface Server {
  agent: HttpAgent;
  headers: Record<string, string | string[]>;
  /** Whether the server must prove who it is. Said to every connection, since Node lets NODE_TLS_REJECT_UNAUTHORIZED decide otherwise. */
  rejectUnauthorized: boolean;
  /** `user:password`, for the few clusters that still have basic authentication. */
  auth: string | undefined;
}

/** Credentials are asked for again after this time: exec plugins and token files renew theirs, client-node caches what is still valid. */
const freshMs = 30_000;

/**
 * The credentials of one context, obtained by client-node (client certificates, tokens and their files, exec plugins, OIDC,
 * cloud providers, proxies). client-node 2 opens a connection for every call; here one agent with kept-alive connections
 * serves them all.
 */
export class Credentials {
  readonly #context: SelectedContext;
  #config: KubeConfig | undefined;
  #current: Promise<Server> | undefined;
  #obtainedAt = 0;
  #agent: { key: string; agent: HttpAgent } | undefined;

  constructor(context: SelectedContext) {
    this.#context = context;
  }

  /** @throws StellarError `credentials-failed` when they cannot be had. */
  server(): Promise<Server> {
    if (this.#current === undefined || Date.now() - this.#obtainedAt > freshMs) {
      this.#obtainedAt = Date.now();
      this.#current = this.#obtain();
    }
    return this.#current;
  }

  /** Forgets cached credentials, for the one retry after a 401: client-node itself keeps an exec plugin's token until it expires. */
  forget(): void {
    this.#config = undefined;
    this.#current = undefined;
  }

  /** Closes kept-alive connections, so that the process can end. */
  close(): void {
    this.#agent?.agent.destroy();
  }

  async #obtain(): Promise<Server> {
    const { name, cluster, user } = this.#context;
    const options: https.RequestOptions = { headers: {} };
    try {
      this.#config ??= toClientNode(this.#context);
      await this.#config.applyToHTTPSOptions(options);
    } catch (error) {
      throw credentialsFailed(name, user.exec, error);
    }
    const headers: Record<string, string | string[]> = { ...(options.headers as Record<string, string>) };
    // client-node sends only the user of an impersonation.
    if (user['as-groups']?.length) headers['Impersonate-Group'] = user['as-groups'];
    if (user['as-uid']) headers['Impersonate-Uid'] = user['as-uid'];
    for (const [key, values] of Object.entries(user['as-user-extra'] ?? {})) {
      headers[`Impersonate-Extra-${encodeURIComponent(key)}`] = values;
    }
    // The API server packs long answers only.
    if (!cluster['disable-compression']) headers['Accept-Encoding'] = 'gzip';
    const rejectUnauthorized = options.rejectUnauthorized ?? true;
    const agent = this.#agentFor(options, rejectUnauthorized);
    return { agent, headers, rejectUnauthorized, auth: options.auth ?? undefined };
  }

  #agentFor(options: https.RequestOptions, rejectUnauthorized: boolean): HttpAgent {
    const { ca, cert, key } = options;
    const identity = [ca, cert, key].map(String).join('|');
    if (this.#agent?.key === identity) return this.#agent.agent;
    // A proxied or plain-HTTP agent is client-node's own.
    const plain = this.#context.cluster['proxy-url'] === undefined && this.#context.server.startsWith('https:');
    const agent = plain
      ? new https.Agent({
          keepAlive: true,
          maxSockets: 32,
          lookup,
          ca,
          cert,
          key,
          ...(options.servername === undefined ? {} : { servername: options.servername }),
          rejectUnauthorized,
        })
      : withVerifiedProxy(options.agent as ProxyAgent);
    this.#agent = { key: identity, agent };
    return agent;
  }
}

/** An agent of client-node; one that uses a proxy has settings for its connection to the proxy as well (hpagent). */
type ProxyAgent = HttpAgent & { proxyRequestOptions?: https.RequestOptions };

function withVerifiedProxy(agent: ProxyAgent): HttpAgent {
  if (agent.proxyRequestOptions !== undefined) agent.proxyRequestOptions.rejectUnauthorized = true;
  return agent;
}

function toClientNode({ name, server, cluster, user }: SelectedContext): KubeConfig {
  const config = new KubeConfig();
  const entry: ClusterEntry = { ...cluster, server };
  // client-node refuses http: unless told not to verify, although there is nothing to verify.
  if (server.startsWith('http:')) entry['insecure-skip-tls-verify'] = true;
  const exec = user.exec && withExecInfo(user.exec);
  config.loadFromString(
    JSON.stringify({
      clusters: [{ name, cluster: entry }],
      users: [{ name, user: exec ? { ...user, exec } : user }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    }),
  );
  return config;
}

/** Plugins read KUBERNETES_EXEC_INFO, which client-node does not set (kubernetes.io/docs: "client-go credential plugins", input format). */
function withExecInfo(exec: ExecEntry): ExecEntry {
  const info = { apiVersion: exec.apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  return { ...exec, env: [...(exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }] };
}

function credentialsFailed(context: string, exec: ExecEntry | undefined, error: unknown): StellarError {
  const { code, message, path } = error as NodeJS.ErrnoException;
  const missing = exec?.command !== undefined && code === 'ENOENT';
  if (exec === undefined && path !== undefined) {
    return new StellarError(
      'kubeconfig-invalid',
      `Context ${context} names the file ${path}, which cannot be read: ${code}.`,
      {
        cause: error,
      },
    );
  }
  // client-node parses what the program printed, and the parser's message would quote it: it may be a token.
  const garbled = error instanceof SyntaxError;
  const why = missing
    ? `the program ${exec.command} is not installed`
    : garbled
      ? `the program ${exec?.command} did not print an ExecCredential`
      : (message || 'no reason was given').trim();
  return new StellarError(
    'credentials-failed',
    `The credentials of context ${context} could not be obtained: ${why}.`,
    {
      next: missing && exec.installHint ? [inWords(exec.installHint.trim())] : [],
      cause: garbled ? undefined : error,
    },
  );
}

/** The certificate authority of a cluster entry, PEM; undefined where the system's own authorities are trusted. */
export async function certificateAuthorityOf(cluster: ClusterEntry): Promise<string | undefined> {
  const data = cluster['certificate-authority-data'];
  if (data) return Buffer.from(data, 'base64').toString('utf8');
  const file = cluster['certificate-authority'];
  return file ? await readFile(file, 'utf8') : undefined;
}
