import { isIP } from 'node:net';
import type { Dial } from '../kube/api.ts';
import type { Faults } from './faults.ts';
import type { ServiceProxy } from './service-proxy.ts';

/** What a pod finds behind a name, as an error would call it. */
const clusterDns = '10.96.0.10:53';

/** How long a client of Go's waits for a connection (k8s.io/client-go/transport/cache.go). */
const dialTimeout = 30_000;

/** The names of the API server that every pod of a cluster knows. */
const inCluster = new Set(['kubernetes.default.svc', 'kubernetes.default', 'kubernetes']);

/** A cluster whose pods the pod runner runs. */
interface Cluster {
  /** The port of its API server on this machine. */
  port: number;
  /** What an error calls its node. */
  address: string;
  services: ServiceProxy;
}

/**
 * The network as pods see it. Each plane's node has a name, as a kind cluster's has on the container network, behind
 * which are its API server and its NodePorts; a cluster's own pods know its Services by their names. This machine's own
 * addresses, which are a pod's own there, lead nowhere.
 */
export class Network {
  readonly #faults: Faults;
  readonly #clusters = new Map<string, Cluster>();
  readonly #nodes = new Map<string, Cluster>();

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  /** A node's name makes it known to the pods of all clusters; a nested cluster has no node of its own. */
  addCluster(name: string, port: number, services: ServiceProxy, nodeName?: string): void {
    const cluster = { port, address: `172.18.0.${this.#nodes.size + 2}`, services };
    this.#clusters.set(name, cluster);
    if (nodeName !== undefined) this.#nodes.set(nodeName, cluster);
  }

  /** Forgets a cluster, and its node's name. */
  removeCluster(name: string): void {
    const cluster = this.#clusters.get(name);
    this.#clusters.delete(name);
    for (const [node, each] of this.#nodes) if (each === cluster) this.#nodes.delete(node);
  }

  /** Finds servers for the pods of one cluster. */
  dialFrom(from: string): Dial {
    return (host, port) => {
      const fault = this.#faults.networkFaultOf(from, host);
      if (fault === 'unresolvable') throw unresolvable(host);
      const route = this.#find(from, host, port);
      if (fault === 'refused') throw refused(route.address);
      return fault === 'swallowed' ? { ...route, lostAfter: dialTimeout } : route;
    };
  }

  #find(from: string, host: string, port: number): ReturnType<Dial> {
    const own = this.#clusters.get(from);
    if (own && inCluster.has(host) && port === 443) return apiServer(own, port);
    const service = own?.services.find(host);
    if (service) return { host: service, port, address: `${service}:${port}` };
    const node = this.#nodes.get(host);
    if (node) return port === 6443 ? apiServer(node, port) : nodePort(node, port);
    const address = loopbackOf(host);
    if (address) throw refused(`${address}:${port}`);
    if (isIP(host))
      throw new Error(`dial tcp ${isIP(host) === 6 ? `[${host}]` : host}:${port}: connect: no route to host`);
    throw unresolvable(host);
  }
}

function apiServer({ port, address }: Cluster, asked: number) {
  return { host: '127.0.0.1', port, address: `${address}:${asked}` };
}

function nodePort({ address, services }: Cluster, asked: number) {
  const route = services.findNodePort(asked);
  if (!route) throw refused(`${address}:${asked}`);
  return { ...route, address: `${address}:${asked}` };
}

function refused(address: string): Error {
  return new Error(`dial tcp ${address}: connect: connection refused`);
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
