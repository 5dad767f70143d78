import { isIP } from 'node:net';
import type { Dial } from '../kube/api.ts';
import type { Faults } from './faults.ts';
import type { ServiceProxy } from './service-proxy.ts';

/** The address of the cluster's DNS server in error messages. */
const clusterDns = '10.96.0.10:53';

/** How long a Go client waits for a connection (k8s.io/client-go/transport/cache.go). */
const dialTimeout = 30_000;

/** The names of the API server that every pod of a cluster knows. */
const inCluster = new Set(['kubernetes.default.svc', 'kubernetes.default', 'kubernetes']);

/** A cluster whose pods the pod runner runs. */
interface Cluster {
  /** The port of its API server on this machine. */
  port: number;
  /** The address of its node in error messages. */
  address: string;
  services: ServiceProxy;
}

/**
 * The network as pods see it. Each plane's node has a name, like the node of a kind cluster on the container network;
 * this name leads to its API server and its NodePorts. Pods resolve the Services of their own cluster by name. Loopback
 * addresses refuse connections, because in a pod they are the pod itself.
 */
export class Network {
  readonly #faults: Faults;
  readonly #clusters = new Map<string, Cluster>();
  readonly #nodes = new Map<string, Cluster>();

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  /** Pods of all clusters can resolve `nodeName`. A nested cluster has none, because it shares its host's node. */
  addCluster(name: string, port: number, services: ServiceProxy, nodeName?: string): void {
    const cluster = { port, address: `172.18.0.${this.#nodes.size + 2}`, services };
    this.#clusters.set(name, cluster);
    if (nodeName !== undefined) this.#nodes.set(nodeName, cluster);
  }

  /** Removes a cluster and its node's name. */
  removeCluster(name: string): void {
    const cluster = this.#clusters.get(name);
    this.#clusters.delete(name);
    for (const [node, each] of this.#nodes) if (each === cluster) this.#nodes.delete(node);
  }

  /** Resolves addresses for the pods of one cluster. */
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

/** The loopback address behind a name or an address, if any: in a pod it is the pod itself. */
function loopbackOf(host: string): string | undefined {
  if (host === '::1') return '[::1]';
  if (host.startsWith('127.')) return host;
  if (host === 'localhost' || host.endsWith('.localhost') || host === '0.0.0.0') return '127.0.0.1';
  // A public name of 127.0.0.1, which KubeFlex uses for local clusters.
  if (host === 'localtest.me' || host.endsWith('.localtest.me')) return '127.0.0.1';
  return undefined;
}
