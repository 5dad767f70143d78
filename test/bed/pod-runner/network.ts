import { isIP } from 'node:net';
import type { Dial } from '../kube/api.ts';
import type { Faults } from './faults.ts';

/** What a pod finds behind a name, as an error would call it. */
const clusterDns = '10.96.0.10:53';

/** The names of the API server that every pod of a cluster knows. */
const inCluster = new Set(['kubernetes.default.svc', 'kubernetes.default', 'kubernetes']);

/**
 * The network as pods see it. Each plane's API server has an internal name, as a kind cluster's has on the container
 * network; this machine's own addresses, which are a pod's own there, lead nowhere.
 */
export class Network {
  readonly #faults: Faults;
  readonly #planes = new Map<string, { port: number; address: string }>();

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  addPlane(name: string, port: number): void {
    this.#planes.set(name, { port, address: `172.18.0.${this.#planes.size + 2}` });
  }

  /** Finds servers for the pods of one plane. */
  dialFrom(plane: string): Dial {
    return (host, port) => {
      if (this.#faults.isUnresolvable(host)) throw unresolvable(host);
      const name = inCluster.has(host) && port === 443 ? plane : /^(.+)-control-plane$/.exec(host)?.[1];
      const target = name === undefined ? undefined : this.#planes.get(name);
      if (target) {
        const known = inCluster.has(host) || port === 6443;
        const address = `${target.address}:${port}`;
        if (!known) throw new Error(`dial tcp ${address}: connect: connection refused`);
        return { host: '127.0.0.1', port: target.port, address };
      }
      const address = loopbackOf(host);
      if (address) throw new Error(`dial tcp ${address}:${port}: connect: connection refused`);
      if (isIP(host))
        throw new Error(`dial tcp ${isIP(host) === 6 ? `[${host}]` : host}:${port}: connect: no route to host`);
      throw unresolvable(host);
    };
  }
}

function unresolvable(host: string): Error {
  return new Error(`dial tcp: lookup ${host} on ${clusterDns}: no such host`);
}

/** The loopback address that a name or an address means, if any: for a pod that is the pod itself. */
function loopbackOf(host: string): string | undefined {
  if (host === '::1') return '[::1]';
  if (host.startsWith('127.')) return host;
  if (host === 'localhost' || host.endsWith('.localhost') || host === '0.0.0.0') return '127.0.0.1';
  // A public name for the machine itself, which KubeFlex uses for its local clusters.
  if (host === 'localtest.me' || host.endsWith('.localtest.me')) return '127.0.0.1';
  return undefined;
}
