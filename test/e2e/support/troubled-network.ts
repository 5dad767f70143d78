import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry, Plane } from '../../../testbed/index.ts';

/** A network in front of a plane's API server that delays every byte, or accepts connections and transfers nothing. */
export class TroubledNetwork {
  /** The plane's own context, through this network. */
  readonly entry: Entry;
  readonly #server: net.Server;
  readonly #sockets: Set<net.Socket>;

  private constructor(entry: Entry, server: net.Server, sockets: Set<net.Socket>) {
    this.entry = entry;
    this.#server = server;
    this.#sockets = sockets;
  }

  /**
   * @param delayMs the delay of the plane's output; infinite if nothing ever arrives
   * @param bytesPerSecond its rate, over all connections together
   */
  static async start(
    plane: Plane,
    delayMs: number,
    bytesPerSecond = Number.POSITIVE_INFINITY,
  ): Promise<TroubledNetwork> {
    // When the link has transferred its backlog.
    let free = 0;
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
      let carried: Promise<unknown> = Promise.resolve();
      upstream.on('data', (bytes) => {
        free = Math.max(free, Date.now()) + (bytes.length / bytesPerSecond) * 1000;
        const arrival = free + delayMs;
        carried = carried
          .then(() => sleep(Math.max(0, arrival - Date.now())))
          .then(() => client.writable && client.write(bytes));
      });
      upstream.on('close', () => carried.then(() => client.destroy()));
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
