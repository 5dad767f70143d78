import { join } from 'node:path';
import type { Dial } from '../kube/api.ts';
import type { Entry } from '../kube/kubeconfig.ts';
import { namespaces } from '../kube/resources.ts';
import { Authority } from '../plane/pki.ts';
import type { Plane } from '../plane/plane.ts';
import { StubNode } from './node.ts';
import { StubObjects } from './objects.ts';
import { type StubLoad, StubServer } from './server.ts';

export interface StubWecsOptions {
  /** What they are called, their contexts as well. */
  names: readonly string[];
  /** How late they answer, in milliseconds. */
  latency?: number;
  log?: (line: string) => void;
}

const homes = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/**
 * Many clusters that are hardly more than their objects, in this process: for tests of hundreds of WECs of one hub, whose
 * API server is real. Each has an address, a kube-system and a node of its own, on which the bed's operator and agents run.
 */
export class StubWecs {
  /** A context with all rights for each of them. */
  readonly entries: readonly Entry[];
  readonly #server: StubServer;
  readonly #running: AbortController;

  private constructor(entries: readonly Entry[], server: StubServer, running: AbortController) {
    this.entries = entries;
    this.#server = server;
    this.#running = running;
  }

  static async start(hub: Plane, { names, latency = 0, log = () => {} }: StubWecsOptions): Promise<StubWecs> {
    const authority = await Authority.create('stub-ca');
    const serving = await authority.issue({ commonName: 'kube-apiserver', hosts: ['127.0.0.1'] });
    const user = await authority.issue({ commonName: 'stub-admin', organizations: ['system:masters'] });
    const running = new AbortController();
    const server = new StubServer({ caPem: authority.certPem, serving, latency });
    const logDir = join(hub.dir, 'stub-wecs');
    const entries: Entry[] = [];
    for (const name of names) {
      const objects = new StubObjects();
      for (const home of homes) objects.create(objects.kindOf(namespaces), { metadata: { name: home } });
      await new StubNode(
        { name, objects, dial: dialTo(hub), logDir: join(logDir, name), log },
        running.signal,
      ).register();
      const connection = { server: await server.add(objects), caPem: authority.certPem, ...user };
      entries.push({ context: name, cluster: name, user: `${name}-admin`, connection });
    }
    return new StubWecs(entries, server, running);
  }

  /** What was asked of them from outside since the last call. */
  takeLoad(): StubLoad {
    return this.#server.takeLoad();
  }

  stop(): void {
    this.#running.abort();
    this.#server.stop();
  }
}

/** Their pods reach the hub by the name of its node, and nothing else. */
function dialTo({ nodeName, info }: Plane): Dial {
  return (host, port) => {
    if (host !== nodeName || port !== 6443) throw new Error(`dial tcp: lookup ${host} on 10.96.0.10:53: no such host`);
    return { host: '127.0.0.1', port: info.port, address: `${host}:${port}` };
  };
}
