import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { selfSigned } from './fake-server.ts';

const servers: Server[] = [];

/** A certificate of a space, which is its own authority, and those that others show instead. */
export const certificates = {
  own: await selfSigned('k3s', ['its1.localtest.me', 'kubernetes.default.svc']),
  ofTraefik: await selfSigned('TRAEFIK DEFAULT CERT', ['a.b.traefik.default']),
  ofJoker: await selfSigned('\x1b[2J\u202e'.padEnd(9000, 'x'), ['its1.localtest.me']),
  ofOtherSpace: await selfSigned('kube-apiserver', ['its1.localtest.me', 'kubernetes.default.svc']),
};

/** Starts servers on ports of 127.0.0.1 that answer as what may be behind the address of a space. */
export const answering = {
  inTls: (certificate: { key: string; cert: string }) =>
    listen(https.createServer(certificate, (_, response) => response.writeHead(401).end('{}'))),
  inHttp: () =>
    listen(http.createServer((_, response) => response.writeHead(404).end('not found'))),
  /** Accepts connections, and says nothing. */
  byNothing: () => listen(createServer((socket) => socket.on('error', () => {}))),
  byClosing: () => listen(createServer((socket) => socket.destroy())),
};

async function listen(server: Server) {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A port at which nothing listens. */
export async function silentPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export function stopAnswering(): void {
  for (const server of servers) server.close();
}
