import { createServer, type Server, type Socket } from 'node:net';
import type { PortMapping } from '../plane/plane.ts';

/** The ports of a node that lead out of it, as a kind cluster's extraPortMappings: nobody answers until a pod does. */
export class NodePorts {
  readonly #mappings: PortMapping[];
  readonly #log: (line: string) => void;

  constructor(mappings: PortMapping[], log: (line: string) => void) {
    this.#mappings = mappings;
    this.#log = log;
  }

  /** Hands over the connections to a port of the node, until the signal. */
  listen(port: number, onConnection: (socket: Socket) => void, signal: AbortSignal): void {
    const host = this.#mappings.find(({ node }) => node === port)?.host;
    // Nobody outside the bed's pods can reach it.
    if (host === undefined) return;
    const open = new Set<Socket>();
    const server: Server = createServer((socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      socket.on('error', () => {});
      onConnection(socket);
    });
    server.on('error', (error) => this.#log(`port ${port} of the node is not served: ${error.message}`));
    server.listen(host, '127.0.0.1');
    signal.addEventListener('abort', () => {
      server.close();
      for (const socket of open) socket.destroy();
    });
  }
}
