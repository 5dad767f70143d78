import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { StellarError } from '../../core/errors.ts';
import type { SelectedContext } from '../kubeconfig/kubeconfig.ts';

/** A proxy between this machine and a server. */
export interface ProxyServer {
  url: URL;
  /** Where it is set: `proxy-url`, or the name of a variable. */
  setting: string;
}

/** Names a proxy in messages, without the user and password in its address. */
export const describeProxy = ({ url, setting }: ProxyServer): string => `${url.protocol}//${url.host} (${setting})`;

/** The host of a URL for sockets: an IPv6 address without brackets. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

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
    const proxy = parse(given, 'proxy-url');
    if (proxy !== undefined) return proxy;
    throw new StellarError('kubeconfig-invalid', `The proxy-url of context ${name} ${notProxy}`);
  }
  const url = new URL(server);
  const variables = url.protocol === 'https:' ? ['HTTPS_PROXY', 'https_proxy'] : ['HTTP_PROXY', 'http_proxy'];
  const setting = variables.find((variable) => env[variable]);
  const value = env[setting ?? ''];
  if (!setting || !value || isExempt(url, env.NO_PROXY || env.no_proxy || '')) return undefined;
  const proxy = parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`, setting);
  if (proxy !== undefined) return proxy;
  throw new StellarError('usage', `The variable ${setting} ${notProxy}`);
}

/** Does not contain the address: it may have a password. */
const notProxy = 'is not the address of a proxy: it has the form http://HOST:PORT, https://… or socks5://….';

function parse(address: string, setting: string): ProxyServer | undefined {
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
function isExempt(server: URL, noProxy: string): boolean {
  const host = hostOf(server);
  const port = server.port || (server.protocol === 'https:' ? '443' : '80');
  if (host === 'localhost' || isWithin(host, '127.0.0.0', 8) || isWithin(host, '::1', 128)) return true;
  return noProxy.split(',').some((rule) => matches(rule.trim().toLowerCase(), host, port));
}

/**
 * @param rule an address, a network (CIDR), `example.com` with its subdomains, `.example.com` or `*.example.com` without itself;
 * all but networks with an optional port
 */
function matches(rule: string, host: string, port: string): boolean {
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
function isWithin(host: string, network: string, bits: number): boolean {
  const family = isIP(network);
  if (isIP(host) !== family || bits > (family === 6 ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family === 6 ? 'ipv6' : 'ipv4');
  return list.check(host, family === 6 ? 'ipv6' : 'ipv4');
}
