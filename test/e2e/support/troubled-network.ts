import { once } from 'node:events';
import net from 'node:net';
import type { Entry, Plane } from '../../../testbed/index.ts';

/** A network before a plane's API server that carries every byte late, or takes connections and carries nothing. */
export class TroubledNetwork {
  /** The plane's own context, led through this network. */
  readonly entry: Entry;
  readonly #server: net.Server;
  readonly #sockets: Set<net.Socket>;

  private constructor(entry: Entry, server: net.Server, sockets: Set<net.Socket>) {
    this.entry = entry;
    this.#server = server;
    this.#sockets = sockets;
  }

  /** @param delayMs how late whatever the plane says arrives; endless where nothing ever does */
  static async start(plane: Plane, delayMs: number): Promise<TroubledNetwork> {
    const { connection, ...names } = plane.kubeconfigEntry;
    const port = Number(new URL(connection.server).port);
    const sockets = new Set<net.Socket>();
    const keep = (socket: net.Socket) => sockets.add(socket).size && socket.on('error', () => {});
    const server = net.createServer((client) => {
      keep(client);
      if (delayMs === Number.POSITIVE_INFINITY) return;
      const upstream = net.connect(port, '127.0.0.1');
      keep(upstream);
      client.pipe(upstream);
      // Timers of one length fire in the order in which they were set: so do the bytes arrive.
      upstream.on('data', (bytes) => setTimeout(() => client.writable && client.write(bytes), delayMs));
      upstream.on('close', () => setTimeout(() => client.destroy(), delayMs));
      client.on('close', () => upstream.destroy());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port: own } = server.address() as net.AddressInfo;
    const entry = { ...names, connection: { ...connection, server: `https://127.0.0.1:${own}` } };
    return new TroubledNetwork(entry, server, sockets);
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
