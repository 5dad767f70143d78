import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { StellarError } from '../../engine/errors.ts';
import type { ClusterEntry, SelectedContext, UserEntry } from '../kubeconfig/kubeconfig.ts';
import type { Issued, PluginHost } from './exec-plugin.ts';
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

/** Credentials are asked for again after this time: token files are renewed, and what plugins and client-node keep may have expired. */
const freshMs = 30_000;

/**
 * The credentials of one context, obtained by client-node (client certificates, tokens and their files, OIDC, cloud providers) and
 * exec plugins. client-node 2 opens a connection for every call; here one agent with kept-alive connections serves them all.
 */
export class Credentials {
  readonly #context: SelectedContext;
  readonly #plugins: PluginHost | undefined;
  #issued: Issued | undefined;
  #refused: Issued | undefined;
  #config: KubeConfig | undefined;
  #current: Promise<Server> | undefined;
  #latest: Server | undefined;
  #obtainedAt = 0;
  #agent: { key: string; agent: http.Agent } | undefined;
  readonly #closing = new AbortController();

  /** @param plugins where exec plugins run; a context that has one cannot do without */
  constructor(context: SelectedContext, plugins?: PluginHost) {
    this.#context = context;
    this.#plugins = plugins;
  }

  /** @throws StellarError `credentials-failed` when they cannot be had. */
  server(): Promise<Server> {
    if (this.#current === undefined || Date.now() - this.#obtainedAt > freshMs) {
      this.#obtainedAt = Date.now();
      this.#current = this.#obtain();
    }
    return this.#current;
  }

  /** Forgets what a server does not accept (401), unless that has been done. */
  refuse(server: Server): void {
    if (server !== this.#latest) return;
    this.#latest = undefined;
    this.#refused = this.#issued;
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
      await this.#askPlugin();
      this.#config ??= toClientNode(this.#context, this.#issued);
      await this.#config.applyToHTTPSOptions(options);
    } catch (error) {
      throw credentialsFailed(name, error);
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
    this.#latest = {
      agent: this.#agentFor(options, proxy),
      proxy,
      isForwarded: forwarder !== undefined,
      headers: { ...headers, ...(forwarder && proxyHeaders(forwarder)) },
      auth: options.auth ?? undefined,
    };
    return this.#latest;
  }

  /** As client-go, only where there are no other credentials. */
  async #askPlugin(): Promise<void> {
    const { user } = this.#context;
    if (!user.exec || otherCredentials.some((field) => user[field])) return;
    if (this.#plugins === undefined) throw new Error('no exec plugin can run here');
    const { issuedFor } = await import('./exec-plugin.ts');
    const issued = await issuedFor(this.#context, this.#plugins, this.#refused);
    if (issued !== this.#issued) this.#config = undefined;
    this.#issued = issued;
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

const otherCredentials = ['token', 'tokenFile', 'username', 'client-certificate', 'client-certificate-data'];

function toClientNode({ name, server, cluster, user }: SelectedContext, issued?: Issued): KubeConfig {
  const config = new KubeConfig();
  // The agent that client-node makes of them is not used.
  const { 'proxy-url': _, ...entry }: ClusterEntry = { ...cluster, server };
  // client-node refuses http: unless told not to verify, although there is nothing to verify.
  if (server.startsWith('http:')) entry['insecure-skip-tls-verify'] = true;
  config.loadFromString(
    JSON.stringify({
      clusters: [{ name, cluster: entry }],
      users: [{ name, user: { ...user, exec: undefined, ...(issued && userOf(issued)) } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    }),
  );
  return config;
}

/** What a plugin has issued, as a kubeconfig has it. */
function userOf({ token, clientCertificateData = '', clientKeyData = '' }: Issued): UserEntry {
  const [certificate, key] = [clientCertificateData, clientKeyData].map((pem) => Buffer.from(pem).toString('base64'));
  return { token, 'client-certificate-data': certificate, 'client-key-data': key };
}

function credentialsFailed(context: string, error: unknown): StellarError {
  if (error instanceof StellarError) return error;
  const { code, message, path } = error as NodeJS.ErrnoException;
  if (path !== undefined) {
    return new StellarError(
      'kubeconfig-invalid',
      `Context ${context} names the file ${path}, which cannot be read: ${code}.`,
      { cause: error },
    );
  }
  const why = (message || 'no reason was given').trim();
  return new StellarError(
    'credentials-failed',
    `The credentials of context ${context} could not be obtained: ${why}.`,
    { cause: error },
  );
}

/** The certificate authority of a cluster entry, PEM; undefined where the system's own authorities are trusted. */
export async function certificateAuthorityOf(cluster: ClusterEntry): Promise<string | undefined> {
  const data = cluster['certificate-authority-data'];
  if (data) return Buffer.from(data, 'base64').toString('utf8');
  const file = cluster['certificate-authority'];
  return file ? await readFile(file, 'utf8') : undefined;
}
