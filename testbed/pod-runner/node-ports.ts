import { createServer, type Server, type Socket } from 'node:net';
import type { PortMapping } from '../plane/plane.ts';

/** The published ports of a node, like extraPortMappings of a kind cluster. A port is closed until a pod listens on it. */
export class NodePorts {
  readonly #mappings: PortMapping[];
  readonly #log: (line: string) => void;

  constructor(mappings: PortMapping[], log: (line: string) => void) {
    this.#mappings = mappings;
    this.#log = log;
  }

  /** Accepts connections to a port of the node until the signal. */
  listen(port: number, onConnection: (socket: Socket) => void, signal: AbortSignal): void {
    const host = this.#mappings.find(({ node }) => node === port)?.host;
    // An unpublished port is reachable only from the bed's pods.
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
