import { createServer, type Server, type Socket } from 'node:net';
import { keyOf } from '../kube/api.ts';
import type { Pod, Service } from '../kube/objects.ts';

/** A port of a pod, and the handler of connections to it. */
interface Endpoint {
  pod: Pod;
  port: number;
  accept: (socket: Socket) => void;
}

/** The open connections of an endpoint, which end with it. */
type Connections = Set<Socket>;

/**
 * How long to wait before the next attempt to listen on an address, for example while another program of this machine
 * has the port on all addresses. Without a retry, a Service would refuse connections permanently.
 */
const retryPause = 500;

/** The stand-in for kube-proxy, for ports that pods serve: listens on the addresses of the Services that select these pods. */
export class ServiceProxy {
  readonly #services = new Map<string, Service>();
  readonly #endpoints = new Map<Endpoint, Connections>();
  readonly #listeners = new Map<string, Server>();
  readonly #log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  setService(service: Service): void {
    this.#services.set(keyOf(service), service);
    this.#update();
  }

  removeService(service: Service): void {
    this.#services.delete(keyOf(service));
    this.#update();
  }

  /** The address of a Service by its name: `name.namespace`, optionally with `.svc` or `.svc.cluster.local`. */
  find(host: string): string | undefined {
    const [, name, namespace] = /^([^.]+)\.([^.]+)(\.svc(\.cluster\.local)?)?$/.exec(host) ?? [];
    const { clusterIP } = this.#services.get(`${namespace}/${name}`)?.spec ?? {};
    return clusterIP === 'None' ? undefined : clusterIP;
  }

  /** The address and port of the Service behind a NodePort. */
  findNodePort(nodePort: number): { host: string; port: number } | undefined {
    for (const { spec } of this.#services.values()) {
      const entry = spec.ports?.find((port) => port.nodePort === nodePort);
      if (entry && spec.clusterIP) return { host: spec.clusterIP, port: entry.port };
    }
    return undefined;
  }

  /** Routes Services to a pod's server until the returned function is called. */
  addEndpoint(endpoint: Endpoint): () => void {
    const connections: Connections = new Set();
    this.#endpoints.set(endpoint, connections);
    this.#update();
    return () => {
      this.#endpoints.delete(endpoint);
      for (const socket of connections) socket.destroy();
      this.#update();
    };
  }

  close(): void {
    this.#services.clear();
    this.#update();
  }

  /** Listens only for Services with an endpoint: a Service without one refuses connections. */
  #update(): void {
    const wanted = new Set<string>();
    for (const service of this.#services.values()) {
      for (const { port } of service.spec.ports ?? []) {
        if (service.spec.clusterIP !== 'None' && this.#endpointOf(service, port))
          wanted.add(`${service.spec.clusterIP}:${port}`);
      }
    }
    for (const [address, listener] of this.#listeners) {
      if (wanted.has(address)) continue;
      this.#listeners.delete(address);
      listener.close();
    }
    for (const address of wanted) if (!this.#listeners.has(address)) this.#listen(address);
  }

  #listen(address: string): void {
    const [host, port] = address.split(':');
    const listener = createServer((socket) => {
      const endpoint = this.#endpointAt(host, Number(port));
      if (!endpoint) {
        socket.destroy();
        return;
      }
      const connections = this.#endpoints.get(endpoint);
      connections?.add(socket);
      socket.on('close', () => connections?.delete(socket));
      socket.on('error', () => {});
      endpoint.accept(socket);
    });
    listener.on('error', (error) => {
      this.#log(`a service cannot listen on ${address}: ${error.message}`);
      if (listener.listening || this.#listeners.get(address) !== listener) return;
      this.#listeners.delete(address);
      setTimeout(() => this.#update(), retryPause);
    });
    this.#listeners.set(address, listener);
    listener.listen(Number(port), host);
  }

  /** The current endpoint behind an address, which may move from one Service to another. */
  #endpointAt(host: string | undefined, port: number): Endpoint | undefined {
    for (const service of this.#services.values()) {
      if (service.spec.clusterIP !== host) continue;
      const endpoint = this.#endpointOf(service, port);
      if (endpoint) return endpoint;
    }
    return undefined;
  }

  #endpointOf(service: Service, port: number): Endpoint | undefined {
    const { selector = {}, ports = [] } = service.spec;
    const entry = ports.find((each) => each.port === port);
    const target = entry?.targetPort ?? port;
    if (!entry) return undefined;
    return [...this.#endpoints.keys()].find(
      (endpoint) =>
        endpoint.pod.metadata.namespace === service.metadata.namespace &&
        endpoint.port === portOf(endpoint.pod, target) &&
        Object.keys(selector).length > 0 &&
        Object.entries(selector).every(([label, value]) => endpoint.pod.metadata.labels?.[label] === value),
    );
  }
}

/** Resolves a target port: a number, or the name of a container port of the pod. */
function portOf({ spec }: Pod, target: number | string): number | undefined {
  if (typeof target === 'number') return target;
  const ports = spec.containers.flatMap((container) => container.ports ?? []);
  return ports.find(({ name }) => name === target)?.containerPort;
}
