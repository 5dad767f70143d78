import { once } from 'node:events';
import http from 'node:http';
import type https from 'node:https';
import net, { isIP } from 'node:net';
import tls from 'node:tls';
import { addressTimeoutMs, requestTimeoutMs } from '../../engine/deadline.ts';
import { lookup } from './local-names.ts';
import { hostOf, ProxyRefusal, type ProxyServer, ProxyUnreachable } from './proxy.ts';

/** An http proxy does not tunnel requests to a server without TLS: it gets them with the whole address, and forwards them. */
export const forwarderOf = (server: URL, proxy: ProxyServer | undefined): ProxyServer | undefined =>
  server.protocol === 'https:' || proxy === undefined || isSocks(proxy) ? undefined : proxy;

/** The user and password in a proxy's address, as its header. */
export function proxyHeaders({ url }: ProxyServer): Record<string, string> {
  if (url.username === '' && url.password === '') return {};
  const user = `${decoded(url.username)}:${decoded(url.password)}`;
  return { 'Proxy-Authorization': `Basic ${Buffer.from(user).toString('base64')}` };
}

/** A percent sign that does not start an escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Makes an agent reach its one server through a proxy, as Go's net/http does: by CONNECT, or by SOCKS 5 with the server's name,
 * which the proxy resolves.
 * @param options how the server is verified; an https proxy is verified by them too
 * @param signal closes every connection
 */
export function throughProxy<Agent extends http.Agent>(
  agent: Agent,
  proxy: ProxyServer,
  server: URL,
  options: https.AgentOptions,
  signal: AbortSignal,
): Agent {
  const connect = agent.createConnection.bind(agent);
  const open = async (target: http.ClientRequestArgs) => {
    const socket = await openThrough(proxy, server, options, signal);
    return server.protocol === 'https:' ? connect({ ...target, socket } as http.ClientRequestArgs) : socket;
  };
  agent.createConnection = (target, callback) => {
    // Node's types have no failure without a socket.
    const created = callback as ((error: Error | null, socket?: unknown) => void) | undefined;
    open(target).then((socket) => created?.(null, socket), created);
    return undefined;
  };
  return agent;
}

/** @throws ProxyUnreachable, ProxyRefusal */
async function openThrough(
  proxy: ProxyServer,
  server: URL,
  options: https.AgentOptions,
  signal: AbortSignal,
): Promise<net.Socket> {
  const socket = dial(proxy, options, signal);
  const patience = setTimeout(() => socket.destroy(new Error('no answer in time')), requestTimeoutMs);
  try {
    await once(socket, proxy.url.protocol === 'https:' ? 'secureConnect' : 'connect');
    // Later errors go to the user of the socket.
    socket.on('error', () => undefined);
    if (isSocks(proxy)) await tunnelBySocks(proxy, socket, server);
    else if (forwarderOf(server, proxy) === undefined) await tunnelByConnect(proxy, socket, server);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error instanceof ProxyRefusal ? error : new ProxyUnreachable('no connection', { cause: error });
  } finally {
    clearTimeout(patience);
  }
}

function dial(
  { url }: ProxyServer,
  { secureContext, rejectUnauthorized }: https.AgentOptions,
  signal: AbortSignal,
): net.Socket {
  const host = hostOf(url);
  const address = { host, port: portOf(url), lookup, signal, autoSelectFamilyAttemptTimeout: addressTimeoutMs };
  if (url.protocol !== 'https:') return net.connect(address);
  const servername = isIP(host) === 0 ? host : '';
  return tls.connect({ ...address, servername, secureContext, rejectUnauthorized });
}

async function tunnelByConnect(proxy: ProxyServer, socket: net.Socket, server: URL): Promise<void> {
  const path = `${server.hostname}:${portOf(server)}`;
  const headers = { Host: path, ...proxyHeaders(proxy) };
  const request = http.request({ createConnection: () => socket, method: 'CONNECT', path, headers });
  request.end();
  const [{ statusCode, statusMessage = '' }] = (await once(request, 'connect')) as [http.IncomingMessage];
  if (statusCode !== 200) throw new ProxyRefusal(`${statusCode} ${statusMessage}`.trim(), statusCode);
}

async function tunnelBySocks({ url }: ProxyServer, socket: net.Socket, server: URL): Promise<void> {
  // In the bundle it has no other export.
  const { SocksClient } = (await import('socks')).default;
  const user = url.username === '' ? {} : { userId: decoded(url.username), password: decoded(url.password) };
  try {
    await SocksClient.createConnection({
      existing_socket: socket,
      command: 'connect',
      proxy: { host: hostOf(url), port: portOf(url), type: 5, ...user },
      destination: { host: hostOf(server), port: portOf(server) },
    });
  } catch (error) {
    throw new ProxyRefusal((error as Error).message);
  }
}

const isSocks = ({ url }: ProxyServer): boolean => url.protocol.startsWith('socks');

const defaultPorts: Record<string, number> = { 'http:': 80, 'https:': 443 };

const portOf = ({ port, protocol }: URL): number => (port === '' ? (defaultPorts[protocol] ?? 1080) : Number(port));
