import type { Dial } from '../kube/api.ts';
import type { Entry } from '../kube/kubeconfig.ts';
import { namespaces } from '../kube/resources.ts';
import type { Plane } from '../plane/plane.ts';
import { StubNode } from './node.ts';
import { StubObjects } from './objects.ts';
import { type StubLoad, StubServer } from './server.ts';

export interface StubWecsOptions {
  /** The names of the stubs and of their contexts. */
  names: readonly string[];
  /** The latency of their responses in milliseconds; 0 by default. */
  latency?: number;
  log?: (line: string) => void;
}

const homes = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/**
 * Many minimal clusters in this process, which store little more than objects: for tests of hundreds of WECs of one hub
 * with a real API server. Each has its own address, kube-system namespace, and node, which does what OCM's operator and agents do.
 */
export class StubWecs {
  /** A context with all rights for each stub. */
  readonly entries: readonly Entry[];
  readonly #server: StubServer;
  readonly #running: AbortController;

  private constructor(entries: readonly Entry[], server: StubServer, running: AbortController) {
    this.entries = entries;
    this.#server = server;
    this.#running = running;
  }

  static async start(
    hub: Plane,
    { names, latency = 0, log = () => {} }: StubWecsOptions,
  ): Promise<StubWecs> {
    const running = new AbortController();
    const server = await StubServer.create(latency);
    const entries: Entry[] = [];
    for (const name of names) {
      const objects = new StubObjects();
      for (const home of homes)
        objects.create(objects.kindOf(namespaces), { metadata: { name: home } });
      await new StubNode({ name, objects, dial: dialTo(hub), log }, running.signal).register();
      entries.push(await server.add(name, objects));
    }
    return new StubWecs(entries, server, running);
  }

  /** The requests from outside the stubs since the last call. */
  takeLoad(): StubLoad {
    return this.#server.takeLoad();
  }

  stop(): void {
    this.#running.abort();
    this.#server.stop();
  }
}

/** The pods of stubs reach only the hub, by the name of its node. */
function dialTo({ nodeName, info }: Plane): Dial {
  return (host, port) => {
    if (host !== nodeName || port !== 6443)
      throw new Error(`dial tcp: lookup ${host} on 10.96.0.10:53: no such host`);
    return { host: '127.0.0.1', port: info.port, address: `${host}:${port}` };
  };
}
