import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { StellarError } from '../../engine/errors.ts';
import { inWords } from '../../engine/next-step.ts';
import type { ClusterEntry, ExecEntry, SelectedContext } from '../kubeconfig/kubeconfig.ts';
import { lookup } from './local-names.ts';
import { forwarderOf, proxyHeaders, throughProxy } from './proxied.ts';
import { type ProxyServer, proxyOf } from './proxy.ts';

/** A context's server, as its user reaches it. */
export interface Server {
  agent: http.Agent;
  /** What the agent goes through. */
  proxy: ProxyServer | undefined;
  /** Whether the proxy itself is asked, for the whole address. */
  isForwarded: boolean;
  headers: Record<string, string | string[]>;
  /** `user:password`, for the few clusters that still have basic authentication. */
  auth: string | undefined;
}

/** Credentials are asked for again after this time: exec plugins and token files renew theirs, client-node caches what is still valid. */
const freshMs = 30_000;

/**
 * The credentials of one context, obtained by client-node (client certificates, tokens and their files, exec plugins, OIDC,
 * cloud providers). client-node 2 opens a connection for every call; here one agent with kept-alive connections serves them all.
 */
export class Credentials {
  readonly #context: SelectedContext;
  #config: KubeConfig | undefined;
  #current: Promise<Server> | undefined;
  #obtainedAt = 0;
  #agent: { key: string; agent: http.Agent } | undefined;
  readonly #closing = new AbortController();

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
    this.#closing.abort();
    this.#agent?.agent.destroy();
  }

  async #obtain(): Promise<Server> {
    const { name, server, cluster, user } = this.#context;
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
    const proxy = proxyOf(this.#context);
    const forwarder = forwarderOf(new URL(server), proxy);
    return {
      agent: this.#agentFor(options, proxy),
      proxy,
      isForwarded: forwarder !== undefined,
      headers: { ...headers, ...(forwarder && proxyHeaders(forwarder)) },
      auth: options.auth ?? undefined,
    };
  }

  #agentFor(
    { ca, cert, key, servername, rejectUnauthorized = true }: https.RequestOptions,
    proxy: ProxyServer | undefined,
  ): http.Agent {
    const identity = [ca, cert, key].map(String).join('|');
    if (this.#agent?.key === identity) return this.#agent.agent;
    const server = new URL(this.#context.server);
    const options: https.AgentOptions = {
      keepAlive: true,
      maxSockets: 32,
      lookup,
      ca,
      cert,
      key,
      ...(servername === undefined ? {} : { servername }),
      // Said to every connection, since Node lets NODE_TLS_REJECT_UNAUTHORIZED decide otherwise.
      rejectUnauthorized,
    };
    const direct = server.protocol === 'https:' ? new https.Agent(options) : new http.Agent(options);
    const agent = proxy === undefined ? direct : throughProxy(direct, proxy, server, options, this.#closing.signal);
    this.#agent = { key: identity, agent };
    return agent;
  }
}

function toClientNode({ name, server, cluster, user }: SelectedContext): KubeConfig {
  const config = new KubeConfig();
  // The agent that client-node makes of them is not used.
  const { 'proxy-url': _, ...entry }: ClusterEntry = { ...cluster, server };
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
