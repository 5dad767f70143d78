import { once } from 'node:events';
import net from 'node:net';
import type { Entry, Plane } from '../../../testbed/index.ts';

/** A network in front of a plane's API server that counts its traffic. */
export class CountedNetwork {
  /** The plane's own context, through this network. */
  readonly entry: Entry;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #bytes = 0;
  #connections = 0;

  private constructor(entry: Entry, port: number) {
    this.entry = entry;
    this.#server = net.createServer((client) => {
      const upstream = net.connect(port, '127.0.0.1');
      this.#connections += 1;
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (bytes) => {
          this.#bytes += bytes.length;
        });
        from.on('error', () => {});
        from.on('close', () => this.#sockets.delete(from) && to.destroy());
        from.pipe(to);
      }
    });
  }

  static async start(plane: Plane): Promise<CountedNetwork> {
    const { connection, ...names } = plane.kubeconfigEntry;
    const entry = { ...names, connection: { ...connection } };
    const network = new CountedNetwork(entry, Number(new URL(connection.server).port));
    await once(network.#server.listen(0, '127.0.0.1'), 'listening');
    const { port } = network.#server.address() as net.AddressInfo;
    entry.connection.server = `https://127.0.0.1:${port}`;
    return network;
  }

  /** Bytes in both directions, TLS included, and connections, since the last call. */
  take(): { bytes: number; connections: number } {
    const taken = { bytes: this.#bytes, connections: this.#connections };
    this.#bytes = 0;
    this.#connections = 0;
    return taken;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
