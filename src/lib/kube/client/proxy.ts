import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { BlockList, isIP, type LookupFunction } from 'node:net';
import tls from 'node:tls';
import { domainToASCII } from 'node:url';
import { addressTimeoutMs } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import type { SelectedContext } from '../kubeconfig/kubeconfig.ts';

/** A proxy between this machine and a server. */
export interface ProxyServer {
  url: URL;
  /** Where it is set: `proxy-url`, or the name of a variable. */
  setting: string;
}

/** Names a proxy in messages, without the user and password in its address. */
export const describeProxy = ({ url, setting }: ProxyServer) =>
  `${url.protocol}//${url.host} (${setting})`;

/** The host of a URL for sockets: an IPv6 address without brackets. */
export const hostOf = ({ hostname }: URL) => hostname.replace(/^\[|\]$/g, '');

/**
 * The proxy that kubectl uses for a context: its `proxy-url` (client-go, tools/clientcmd/helpers.go), else the environment's proxy
 * for the server's scheme (golang.org/x/net/http/httpproxy), which does not apply to servers on this machine.
 * @throws StellarError `kubeconfig-invalid` or `usage` for a proxy that cannot be used
 */
export function proxyOf(
  { name, server, cluster }: Pick<SelectedContext, 'name' | 'server' | 'cluster'>,
  env: Record<string, string | undefined> = process.env,
): ProxyServer | undefined {
  const given = cluster['proxy-url'];
  if (given) {
    const proxy = parseProxy(given, 'proxy-url');
    if (proxy !== undefined) return proxy;
    throw new StellarError('kubeconfig-invalid', `The proxy-url of context ${name} ${notProxy}`);
  }
  const url = new URL(server);
  const variables =
    url.protocol === 'https:' ? ['HTTPS_PROXY', 'https_proxy'] : ['HTTP_PROXY', 'http_proxy'];
  const setting = variables.find((variable) => env[variable]);
  const value = env[setting ?? ''];
  if (!setting || !value || isExempt(url, env.NO_PROXY || env.no_proxy || '')) return undefined;
  const proxy = parseProxy(
    /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`,
    setting,
  );
  if (proxy !== undefined) return proxy;
  throw new StellarError('usage', `The variable ${setting} ${notProxy}`);
}

/** Does not contain the address: it may have a password. */
const notProxy =
  'is not the address of a proxy: it has the form http://HOST:PORT, https://… or socks5://….';

function parseProxy(address: string, setting: string): ProxyServer | undefined {
  if (!/^(https?|socks5h?):\/\//i.test(address)) return undefined;
  try {
    const url = new URL(address);
    // Go refuses these, too, if they are not encoded.
    decodeURIComponent(url.username + url.password);
    return { url, setting };
  } catch {
    return undefined;
  }
}

/** Whether NO_PROXY names a server, or the server is this machine. */
function isExempt(server: URL, noProxy: string) {
  const host = hostOf(server);
  const port = server.port || (server.protocol === 'https:' ? '443' : '80');
  if (host === 'localhost' || isWithin(host, '127.0.0.0', 8) || isWithin(host, '::1', 128))
    return true;
  return noProxy.split(',').some((rule) => ruleMatches(rule.trim().toLowerCase(), host, port));
}

/**
 * @param rule an address, a network (CIDR), `example.com` with its subdomains, `.example.com` or `*.example.com` without itself;
 * all but networks with an optional port
 */
function ruleMatches(rule: string, host: string, port: string) {
  if (rule === '*') return true;
  const [network = '', bits = ''] = rule.split('/');
  if (isIP(network) !== 0 && /^\d+$/.test(bits)) return isWithin(host, network, Number(bits));
  const [, v6, named = v6, only = ''] = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(rule) ?? [];
  const other = named ?? rule;
  if (other === '' || (only !== '' && only !== port)) return false;
  if (isIP(other) !== 0) return isWithin(host, other, isIP(other) === 6 ? 128 : 32);
  if (isIP(host) !== 0) return false;
  const domain = other.replace(/^\*?\./, '');
  const ascii = domainToASCII(domain) || domain;
  return host.endsWith(`.${ascii}`) || (host === ascii && domain === other);
}

/** An address of the other family is in no network, unlike in BlockList. */
function isWithin(host: string, network: string, bits: number) {
  const family = isIP(network);
  if (isIP(host) !== family || bits > (family === 6 ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family === 6 ? 'ipv6' : 'ipv4');
  return list.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Whether a name resolves to the local machine everywhere: localhost (RFC 6761), and localtest.me, a public name for 127.0.0.1 that
 * KubeFlex uses for its local control planes.
 */
export function isLocalName(host: string): boolean {
  return /(^|\.)(localhost|localtest\.me)\.?$/i.test(host);
}

/**
 * Resolves a host. Local names are resolved without DNS: resolvers with rebinding protection drop answers of 127.0.0.1, and a
 * machine may have no DNS.
 */
export const lookup: LookupFunction = (host, options, callback) => {
  // Loaded here, because addresses need none of it.
  if (!isLocalName(host))
    return process.getBuiltinModule('node:dns').lookup(host, options, callback);
  const [v4, v6] = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ] as const;
  if (options.all) callback(null, [v4, v6]);
  else callback(null, v4.address, v4.family);
};

/**
 * Makes an agent that reaches its one server through a proxy: by CONNECT, or by SOCKS 5 with the server's name, which the proxy
 * resolves.
 * @param options how the server is verified; those of a proxy of https are beside its address
 * @param signal closes every connection to a proxy
 */
export async function agentThrough(
  { url, secureContext, rejectUnauthorized }: ProxyServer & https.AgentOptions,
  server: URL,
  options: https.AgentOptions,
  signal: AbortSignal,
): Promise<http.Agent> {
  const hostname = hostOf(url);
  const dialing = { lookup, autoSelectFamilyAttemptTimeout: addressTimeoutMs, signal };
  if (url.protocol.startsWith('socks'))
    return agentThroughSocks({ ...dialing, host: hostname }, url, server, options);

  const { HttpProxyAgent, HttpsProxyAgent } = await import('hpagent');
  const { port, username, password } = url;
  // As the TLS name of a proxy of https, hpagent sends an address too, of which Node warns.
  const protocol = url.protocol.replace('https', 'tls');
  const proxyName = isIP(hostname) === 0 ? hostname : '';
  return new (server.protocol === 'https:' ? HttpsProxyAgent : HttpProxyAgent)({
    ...options,
    proxy: { protocol, hostname, port, username, password } as URL,
    proxyRequestOptions: {
      ...dialing,
      secureContext,
      rejectUnauthorized,
      servername: proxyName,
    } as object,
  });
}

/** Without socks-proxy-agent, which cannot end a connection that is being made: Ctrl-C and the deadline would wait for it. */
async function agentThroughSocks(
  dialing: { host: string; signal: AbortSignal },
  url: URL,
  server: URL,
  options: https.AgentOptions,
): Promise<http.Agent> {
  // In the bundle it has no other export.
  const { SocksClient } = (await import('socks')).default;
  const isSecure = server.protocol === 'https:';
  const port = Number(url.port || 1080);
  const user = url.username && {
    userId: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
  const proxy = { host: dialing.host, port, type: 5 as const, ...(user || {}) };
  const destination = { host: hostOf(server), port: Number(server.port || (isSecure ? 443 : 80)) };
  const agent = isSecure ? new https.Agent(options) : new http.Agent(options);
  const connect = agent.createConnection.bind(agent);
  const open = async (target: http.ClientRequestArgs) => {
    const socket = net.connect({ ...dialing, port });
    await once(socket, 'connect');
    await SocksClient.createConnection({
      existing_socket: socket,
      command: 'connect',
      proxy,
      destination,
    });
    return isSecure ? connect({ ...target, socket } as http.ClientRequestArgs) : socket;
  };
  agent.createConnection = (target, callback) => {
    // Node's types have no failure without a socket.
    const created = callback as ((error: Error | null, socket?: unknown) => void) | undefined;
    open(target).then((socket) => created?.(null, socket), created);
    return undefined;
  };
  return agent;
}

let isMachineTrusted = false;

/**
 * Makes connections that have no certificate authority of their own trust those of the system, with SSL_CERT_FILE and SSL_CERT_DIR,
 * as Go does (crypto/x509, SystemCertPool). kubectl knows neither those that Node brings nor NODE_EXTRA_CA_CERTS.
 */
export function trustMachine(): void {
  if (isMachineTrusted) return;
  isMachineTrusted = true;
  tls.setDefaultCACertificates(tls.getCACertificates('system'));
}
