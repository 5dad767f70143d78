import type { Server as HttpsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import { keyOf } from '../kube/api.ts';
import type { Pod, Service } from '../kube/objects.ts';

interface Endpoint {
  pod: Pod;
  port: number;
  server: HttpsServer;
}

/** The connections that an endpoint answers: they end with it. */
type Connections = Set<Socket>;

/** Plays kube-proxy for the ports that pods really serve: listens on the addresses of the Services that select them. */
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

  /** Leads Services to a pod's server until the returned function is called. */
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

  /** Listens where there is an endpoint, and nowhere else: a Service without one refuses connections. */
  #update(): void {
    const wanted = new Set<string>();
    for (const service of this.#services.values()) {
      for (const { port } of service.spec.ports ?? []) {
        if (!this.#find(service, port)) continue;
        const address = `${service.spec.clusterIP}:${port}`;
        wanted.add(address);
        if (!this.#listeners.has(address)) this.#listen(address, keyOf(service), port);
      }
    }
    for (const [address, listener] of this.#listeners) {
      if (wanted.has(address)) continue;
      listener.close();
      this.#listeners.delete(address);
    }
  }

  #listen(address: string, key: string, port: number): void {
    const listener = createServer((socket) => {
      const service = this.#services.get(key);
      const endpoint = service && this.#find(service, port);
      if (!endpoint) {
        socket.destroy();
        return;
      }
      const connections = this.#endpoints.get(endpoint);
      connections?.add(socket);
      socket.on('close', () => connections?.delete(socket));
      endpoint.server.emit('connection', socket);
    });
    listener.on('error', (error) => this.#log(`service ${key} cannot listen on ${address}: ${error.message}`));
    const [host, number] = address.split(':');
    listener.listen(Number(number), host);
    this.#listeners.set(address, listener);
  }

  #find(service: Service, port: number): Endpoint | undefined {
    const { selector = {}, ports = [] } = service.spec;
    const target = ports.find((entry) => entry.port === port)?.targetPort ?? port;
    return [...this.#endpoints.keys()].find(
      (endpoint) =>
        endpoint.pod.metadata.namespace === service.metadata.namespace &&
        endpoint.port === target &&
        Object.entries(selector).every(([label, value]) => endpoint.pod.metadata.labels?.[label] === value),
    );
  }
}
