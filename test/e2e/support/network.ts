import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry, Plane } from '../../../testbed/index.ts';

/** A link that delays every byte of a plane's output, and has a rate, over all connections together. */
interface SlowLink {
  delayMs: number;
  bytesPerSecond: number;
}

/** A network in front of a plane's API server that counts its traffic, and may be slow. */
export class Network {
  /** The plane's own context, through this network. */
  readonly entry: Entry;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #bytes = 0;
  #connections = 0;
  /** When a slow link has transferred its backlog. */
  #free = 0;

  private constructor(entry: Entry, port: number, slow?: SlowLink) {
    this.entry = entry;
    this.#server = net.createServer((client) => {
      const upstream = net.connect(port, '127.0.0.1');
      this.#connections += 1;
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on('data', (bytes) => {
          this.#bytes += bytes.length;
        });
        socket.on('error', () => {});
        socket.on('close', () => this.#sockets.delete(socket));
      }
      client.on('close', () => upstream.destroy()).pipe(upstream);
      if (slow !== undefined) this.#carry(upstream, client, slow);
      else upstream.on('close', () => client.destroy()).pipe(client);
    });
  }

  static async start(plane: Plane, slow?: SlowLink): Promise<Network> {
    const { connection, ...names } = plane.kubeconfigEntry;
    const entry = { ...names, connection: { ...connection } };
    const network = new Network(entry, Number(new URL(connection.server).port), slow);
    await once(network.#server.listen(0, '127.0.0.1'), 'listening');
    const { port } = network.#server.address() as net.AddressInfo;
    entry.connection.server = `https://127.0.0.1:${port}`;
    return network;
  }

  #carry(from: net.Socket, to: net.Socket, { delayMs, bytesPerSecond }: SlowLink): void {
    let carried: Promise<unknown> = Promise.resolve();
    from.on('data', (bytes) => {
      this.#free = Math.max(this.#free, Date.now()) + (bytes.length / bytesPerSecond) * 1000;
      const arrival = this.#free + delayMs;
      carried = carried
        .then(() => sleep(Math.max(0, arrival - Date.now())))
        .then(() => to.writable && to.write(bytes));
    });
    from.on('close', () => carried.then(() => to.destroy()));
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
