import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { isIP } from 'node:net';
import { addressTimeoutMs } from '../../core/deadline.ts';
import { lookup } from './local-names.ts';
import { hostOf, type ProxyServer } from './proxy.ts';

/**
 * Makes an agent that reaches its one server through a proxy: by CONNECT, or by SOCKS 5 with the server's name, which the proxy
 * resolves.
 * @param options how the server is verified @param ofProxy how a proxy of https is verified
 * @param signal closes every connection to a proxy
 */
export async function agentThrough(
  { url }: ProxyServer,
  server: URL,
  options: https.AgentOptions,
  { secureContext, rejectUnauthorized }: https.AgentOptions,
  signal: AbortSignal,
): Promise<http.Agent> {
  const hostname = hostOf(url);
  const dialing = { lookup, autoSelectFamilyAttemptTimeout: addressTimeoutMs, signal };
  if (url.protocol.startsWith('socks')) return agentThroughSocks({ ...dialing, host: hostname }, url, server, options);

  const { HttpProxyAgent, HttpsProxyAgent } = await import('hpagent');
  const { port, username, password } = url;
  // As the TLS name of a proxy of https, hpagent sends an address too, of which Node warns.
  const [protocol, proxyName] = [url.protocol.replace('https', 'tls'), isIP(hostname) === 0 ? hostname : ''];
  return new (server.protocol === 'https:' ? HttpsProxyAgent : HttpProxyAgent)({
    ...options,
    proxy: { protocol, hostname, port, username, password } as URL,
    proxyRequestOptions: { ...dialing, secureContext, rejectUnauthorized, servername: proxyName } as object,
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
  const [isSecure, port] = [server.protocol === 'https:', Number(url.port || 1080)];
  const user = url.username && { userId: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  const proxy = { host: dialing.host, port, type: 5 as const, ...(user || {}) };
  const destination = { host: hostOf(server), port: Number(server.port || (isSecure ? 443 : 80)) };
  const agent = isSecure ? new https.Agent(options) : new http.Agent(options);
  const connect = agent.createConnection.bind(agent);
  const open = async (target: http.ClientRequestArgs) => {
    const socket = net.connect({ ...dialing, port });
    await once(socket, 'connect');
    await SocksClient.createConnection({ existing_socket: socket, command: 'connect', proxy, destination });
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
