import { createServer, type Server } from 'node:net';

/**
 * Below the ports that Linux gives to outgoing connections (32768 and up), so that a stopped plane finds its port still
 * free.
 */
const range = { first: 20_000, last: 32_000 };

/** A port of 127.0.0.1 on which nothing listens. Another process may take it first: be ready to ask again. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = range.first + Math.floor(Math.random() * (range.last - range.first));
    const server = await listen('127.0.0.1', port);
    if (!server) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** A server that listens there, or undefined if the port is in use. */
export function listen(host: string, port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(port, host, () => resolve(server));
  });
}
