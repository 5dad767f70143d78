import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { addressTimeoutMs, monotonic } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import type { ProgramRun } from '../../core/program.ts';
import type { Progress } from '../../core/run.ts';
import type { ClusterEntry, SelectedContext, UserEntry } from '../kubeconfig/kubeconfig.ts';
import { agentThrough, hostOf, lookup, type ProxyServer, proxyOf, trustMachine } from './proxy.ts';

/**
 * KubeFlex v0.9.3 gives API servers of type k8s a certificate whose AuthorityKeyId is the SHA-1 of nothing, and not that of its own
 * authority (pkg/certs/certgen.go:145). Go ignores this field (crypto/x509, CertPool.findPotentialParents uses it only to order
 * candidates); OpenSSL finds no issuer, and Node refuses the connection with this code.
 */
const issuerNotFound = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';

/** Node's code for another certificate than the one that is trusted instead: the server has a new one, or is another server. */
const otherThanTrusted = 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY';

/** The part of a command's run that credential plugins use, and the credentials that they have issued in it. */
export interface PluginHost extends ProgramRun {
  progress: Progress;
  /** Runs a plugin or renews by an auth provider (exec-plugin.ts). @param refused what the server has refused */
  issue(context: SelectedContext, host: PluginHost, refused?: Issued): Promise<Issued>;
  /** Whether the user can answer questions of a plugin. */
  hasTerminal: () => boolean;
  issued: Map<string, { last?: Issued; running?: Promise<Issued> | undefined }>;
  /** The last plugin that needs the terminal for itself. */
  terminalQueue: Promise<unknown>;
}

/** The status of an ExecCredential; certificate and key are PEM. */
export interface Issued {
  token?: string;
  clientCertificateData?: string;
  clientKeyData?: string;
  expirationTimestamp?: string;
}

/** A context's server, as its user reaches it. */
export interface Server {
  agent: http.Agent;
  /** The proxy that the agent connects through. */
  proxy: ProxyServer | undefined;
  headers: Record<string, string | string[]>;
}

/**
 * How long credentials stay valid here: token files are renewed, and cached credentials of plugins and providers may have expired.
 */
const freshMs = 30_000;

/**
 * The credentials of one context: certificates, tokens and passwords as client-go reads them (client-go, tools/clientcmd and
 * transport), and those of exec plugins and OpenID providers. One agent with kept-alive connections serves all requests.
 */
export class Credentials {
  readonly #context: SelectedContext;
  readonly #plugins: PluginHost | undefined;
  readonly #connections: number | undefined;
  #issued: Issued | undefined;
  #refused: Issued | undefined;
  #current: Promise<Server> | undefined;
  #latest: Server | undefined;
  #obtainedAt = 0;
  #agent: { key: string; agent: http.Agent } | undefined;
  /** What the connections trust instead of the authorities of the kubeconfig (kubeflex-certificate.ts). */
  #instead: tls.SecureContextOptions | undefined;
  #rejudged: Promise<boolean> | undefined;
  readonly #closing = new AbortController();

  /** @param plugins where exec plugins run; required for a context that has one */
  constructor(context: SelectedContext, plugins?: PluginHost, connections?: number) {
    this.#context = context;
    this.#plugins = plugins;
    this.#connections = connections;
  }

  /** @throws StellarError `credentials-failed` if they cannot be obtained. */
  server(): Promise<Server> {
    if (this.#current === undefined || monotonic() - this.#obtainedAt > freshMs) {
      this.#obtainedAt = monotonic();
      this.#current = this.#obtain();
    }
    return this.#current;
  }

  /** Drops credentials that a server has refused (401), unless that is already done. */
  refuse(server: Server): void {
    if (server !== this.#latest) return;
    this.#latest = undefined;
    this.#refused = this.#issued;
    this.#current = undefined;
  }

  /**
   * Judges the certificate of a server once more, in which Node has found no issuer (kubeflex-certificate.ts). One handshake without
   * credentials reads it; what is trusted afterwards is that certificate, on verified connections.
   * @param refused the server whose connection failed @param code Node's, of the failure @param timeoutMs for the handshake
   * @returns whether another connection may succeed
   */
  async rejudge(refused: Server, code: string | undefined, timeoutMs: number): Promise<boolean> {
    if (code !== issuerNotFound && code !== otherThanTrusted) return false;
    if (refused !== this.#latest) return true;
    if (code !== (this.#instead === undefined ? issuerNotFound : otherThanTrusted)) return false;
    this.#rejudged ??= this.#readCertificate(timeoutMs).finally(() => {
      this.#rejudged = undefined;
    });
    return this.#rejudged;
  }

  async #readCertificate(timeoutMs: number): Promise<boolean> {
    const { ca, servername } = tlsOf(this.#context, {});
    const server = new URL(this.#context.server);
    const name = servername ?? hostOf(server);
    if (ca === undefined) return false;
    const agent = await this.#agentOf(
      { ca, servername, rejectUnauthorized: true },
      { rejectUnauthorized: false },
    );
    const raw = await certificateAt(agent, server, name, timeoutMs).finally(() => agent.destroy());
    const { trustedInstead } = await import('./kubeflex-certificate.ts');
    const instead = raw && trustedInstead(raw, String(ca), name);
    if (isDeepStrictEqual(instead, this.#instead)) return false;
    this.#instead = instead;
    this.#current = undefined;
    return true;
  }

  /** Closes kept-alive connections, so that the process can end. */
  close(): void {
    this.#closing.abort();
    this.#agent?.agent.destroy();
  }

  async #obtain(): Promise<Server> {
    const { name, cluster } = this.#context;
    let verified: https.AgentOptions = {};
    let user: UserEntry = {};
    let token: string | undefined;
    try {
      user = await this.#user();
      verified = tlsOf(this.#context, user);
      token = readToken(user);
    } catch (error) {
      throw credentialsFailed(name, error);
    }
    const headers = impersonationOf(user);
    const { username, password = '' } = user;
    if (token) headers.Authorization = `Bearer ${token}`;
    else if (username)
      headers.Authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    // The API server compresses only long answers.
    if (!cluster['disable-compression']) headers['Accept-Encoding'] = 'gzip';
    const proxy = proxyOf(this.#context);
    const identity = [this.#instead?.ca, verified.ca, verified.cert, verified.key].join('|');
    if (this.#agent?.key !== identity)
      this.#agent = { key: identity, agent: await this.#agentOf(verified, this.#instead) };
    this.#latest = { agent: this.#agent.agent, proxy, headers };
    return this.#latest;
  }

  /** The user with the credentials of its plugin or auth provider: used, as in client-go, only if there are no others. */
  async #user(): Promise<UserEntry> {
    const { user } = this.#context;
    const has = (fields: readonly string[]) => fields.some((field) => user[field]);
    const isProvided = user['auth-provider'] && !has(authorizations);
    if (!isProvided && (!user.exec || has(otherCredentials))) return user;
    if (this.#plugins === undefined)
      throw new Error('no exec plugin or auth provider can be used here');
    this.#issued = await this.#plugins.issue(this.#context, this.#plugins, this.#refused);
    return isProvided
      ? { ...user, token: this.#issued.token }
      : { ...user, ...asUser(this.#issued) };
  }

  /** @param ofServer what differs for the server itself: a proxy of https is verified without it */
  async #agentOf(
    verified: https.AgentOptions,
    ofServer: https.AgentOptions | undefined,
  ): Promise<http.Agent> {
    const proxy = proxyOf(this.#context);
    const server = new URL(this.#context.server);
    const options: https.AgentOptions = {
      keepAlive: true,
      maxSockets: this.#connections,
      lookup,
      autoSelectFamilyAttemptTimeout: addressTimeoutMs,
      ...verified,
      ...ofServer,
    };
    const isSecure = server.protocol === 'https:';
    // Parsed here, once: each connection would parse the certificates and the key again.
    if (isSecure || proxy?.url.protocol === 'https:')
      options.secureContext = secureContextOf(this.#context.name, { ...verified, ...ofServer });
    if (proxy === undefined) return isSecure ? new https.Agent(options) : new http.Agent(options);
    const ofProxy =
      ofServer === undefined
        ? options
        : { ...verified, secureContext: secureContextOf(this.#context.name, verified) };
    return agentThrough({ ...proxy, ...ofProxy }, server, options, this.#closing.signal);
  }
}

const authorizations = ['token', 'tokenFile', 'username'];
const otherCredentials = [...authorizations, 'client-certificate', 'client-certificate-data'];

/** How the server is verified, and how this user authenticates. @throws Node's errors for files */
function tlsOf({ cluster }: SelectedContext, user: UserEntry): https.AgentOptions {
  const ca = certificateAuthorityOf(cluster);
  return {
    ca,
    cert: pemOf(user['client-certificate-data'], user['client-certificate']),
    key: pemOf(user['client-key-data'], user['client-key']),
    ...(cluster['tls-server-name'] ? { servername: cluster['tls-server-name'] } : {}),
    // client-go refuses an entry with both.
    rejectUnauthorized: ca !== undefined || cluster['insecure-skip-tls-verify'] !== true,
  };
}

/** @throws StellarError `credentials-failed` if OpenSSL cannot read them, or the key is missing or of another certificate */
function secureContextOf(
  context: string,
  { ca, cert, key, rejectUnauthorized, allowPartialTrustChain }: https.AgentOptions,
): tls.SecureContext {
  const what = `A certificate or the key of context ${context}`;
  const invalid = (why: string) =>
    new StellarError('credentials-failed', `${what} is invalid: ${why}.`);
  // Node would present no certificate. client-go refuses it (tools/clientcmd/validation.go).
  if (cert && !key) throw invalid('there is a client certificate, but no client key');
  if (ca === undefined && rejectUnauthorized) trustMachine();
  try {
    return tls.createSecureContext({ ca, cert, key, allowPartialTrustChain });
  } catch (error) {
    const { reason, message } = error as Error & { reason?: string };
    throw invalid(`OpenSSL says "${reason ?? message}"`).with({ cause: error });
  }
}

/** The certificate that a server shows for a name, in DER; undefined if it shows none in time. */
function certificateAt(
  agent: http.Agent,
  server: URL,
  name: string,
  timeoutMs: number,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs, undefined);
    const end = (raw?: Buffer) => {
      clearTimeout(timer);
      resolve(raw);
    };
    const hear = (socket: Duplex | null | undefined) => {
      socket?.on('error', () => end()).on('close', () => end());
      socket?.on('secureConnect', () => {
        end((socket as tls.TLSSocket).getPeerCertificate().raw);
        socket.destroy();
      });
      if (!socket) end();
    };
    const at = {
      host: hostOf(server),
      port: Number(server.port || 443),
      servername: isIP(name) === 0 ? name : '',
    };
    const socket = agent.createConnection({ ...(agent as https.Agent).options, ...at }, (_, made) =>
      hear(made),
    );
    if (socket) hear(socket);
  });
}

/** What the certificate of a server is for, whoever has signed it. It may be of any length: not all of it is returned. */
export async function nameOfServer(server: string): Promise<string> {
  const url = new URL(server);
  const agent = new https.Agent({ lookup, rejectUnauthorized: false });
  const raw = await certificateAt(agent, url, hostOf(url), addressTimeoutMs);
  const subject = raw && new X509Certificate(raw).subject;
  return (/^(?:CN|O)=(.*)$/m.exec(subject ?? '')?.[1] ?? 'without a name').slice(0, 200);
}

/** As in client-go, data takes precedence over a file. */
function pemOf(data: string | undefined, file: string | undefined) {
  if (data) return Buffer.from(data, 'base64').toString('utf8');
  return file ? readFileSync(file, 'utf8') : undefined;
}

/** As in client-go (transport/token_source.go), a readable token file takes precedence over the token. */
function readToken({ token, tokenFile }: UserEntry) {
  if (!tokenFile) return token;
  try {
    return readFileSync(tokenFile, 'utf8').trim() || token;
  } catch (error) {
    if (!token) throw error;
    return token;
  }
}

/** Credentials of a plugin in the form of a kubeconfig user. */
function asUser({ token, clientCertificateData = '', clientKeyData = '' }: Issued): UserEntry {
  const [certificate, key] = [clientCertificateData, clientKeyData].map((pem) =>
    Buffer.from(pem).toString('base64'),
  );
  return { token, 'client-certificate-data': certificate, 'client-key-data': key };
}

/** The headers that impersonate a user. */
function impersonationOf(user: UserEntry): Server['headers'] {
  const headers: Server['headers'] = {};
  if (user.as) headers['Impersonate-User'] = user.as;
  if (user['as-groups']?.length) headers['Impersonate-Group'] = user['as-groups'];
  if (user['as-uid']) headers['Impersonate-Uid'] = user['as-uid'];
  for (const [key, values] of Object.entries(user['as-user-extra'] ?? {}))
    headers[`Impersonate-Extra-${encodeURIComponent(key)}`] = values;
  return headers;
}

/** The error for credentials that cannot be read or obtained. @param error of a file, or of a plugin */
export function credentialsFailed(context: string, error: unknown): StellarError {
  if (error instanceof StellarError) return error;
  const { code, message, path } = error as NodeJS.ErrnoException;
  const unread = `Context ${context} names the file ${path}, which cannot be read: ${code}.`;
  if (path !== undefined)
    return new StellarError('kubeconfig-invalid', unread).with({ cause: error });
  const why = (message || 'no reason was given').trim();
  return new StellarError(
    'credentials-failed',
    `The credentials of context ${context} could not be obtained: ${why}.`,
  ).with({ cause: error });
}

/** The certificate authority of a cluster entry, PEM; undefined if those of this machine are trusted. */
export const certificateAuthorityOf = (cluster: ClusterEntry) =>
  pemOf(cluster['certificate-authority-data'], cluster['certificate-authority']);
