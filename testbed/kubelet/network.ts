import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname } from 'node:path';
import type { Dial } from '../kube/api.ts';
import type { Pod, Service } from '../kube/objects.ts';
import type { Faults } from '../pod-runner/faults.ts';
import {
  apiServerAddress,
  dnsAddress,
  hostOf,
  internetAddress,
  nodeAddress,
  portOf,
} from './addresses.ts';
import { DnsServer } from './dns.ts';

/** A pod as Services see it. */
export interface Endpoint {
  pod: Pod;
  /** As Kubernetes knows it. */
  address: string;
  isReady: boolean;
}

/** What a cluster brings to the network. */
export interface ClusterParts {
  name: string;
  number: number;
  /** The port of its API server on this machine. */
  apiPort: number;
  /** The name of its node for pods of all clusters; a nested cluster has none. */
  nodeName?: string;
  /** The file of the table of connections. */
  table: string;
}

interface Target {
  host: string;
  port: number;
}

/** A cluster's part of the network: what its pods and its API server can reach. */
export class ClusterNetwork {
  readonly parts: ClusterParts;
  readonly services = new Map<string, Service>();
  readonly endpoints = new Set<Endpoint>();
  /** The port of its kubelet on this machine, once it serves. */
  kubeletPort = 0;
  /** The present text of its table. */
  written: string | undefined;
  readonly #network: Network;
  readonly dns: DnsServer;

  constructor(network: Network, parts: ClusterParts, dns: DnsServer) {
    this.#network = network;
    this.parts = parts;
    this.dns = dns;
  }

  /** To be called after a change of Services, endpoints or the kubelet's port. */
  changed(): void {
    this.#network.changed();
  }

  /** The ports of its Services: by their own address, and by that of the node. */
  get ports(): { cluster: Map<string, Target | undefined>; node: Map<string, Target | undefined> } {
    const cluster = new Map<string, Target | undefined>();
    const node = new Map<string, Target | undefined>();
    for (const service of this.services.values()) {
      const { clusterIP = 'None', ports = [] } = service.spec;
      const endpoint = this.#endpointsOf(service).find(({ isReady }) => isReady);
      for (const { port, targetPort = port, nodePort } of ports) {
        if (clusterIP === 'None' || clusterIP === apiServerAddress(this.parts.number)) continue;
        const target = endpoint && targetOf(endpoint, targetPort);
        cluster.set(`${clusterIP}:${port}`, target);
        if (nodePort) node.set(`${nodeAddress(this.parts.number)}:${nodePort}`, target);
      }
    }
    return { cluster, node };
  }

  /** The addresses of a name that its pods resolve. */
  resolve(name: string): string[] {
    if (this.#network.faultOf(this, name) === 'unresolvable') return [];
    const [service = '', namespace = '', ...rest] = name.split('.');
    if (rest.join('.') !== 'svc.cluster.local') return this.#network.resolve(name);
    const found = this.services.get(`${namespace}/${service}`);
    if (!found) return [];
    const { clusterIP = 'None' } = found.spec;
    return clusterIP === 'None'
      ? this.#endpointsOf(found).map(({ address }) => address)
      : [clusterIP];
  }

  #endpointsOf({ metadata, spec: { selector = {} } }: Service): Endpoint[] {
    const wanted = Object.entries(selector);
    if (wanted.length === 0) return [];
    return [...this.endpoints].filter(
      ({ pod }) =>
        pod.metadata.namespace === metadata.namespace &&
        wanted.every(([label, value]) => pod.metadata.labels?.[label] === value),
    );
  }
}

/** A target port is a number, or the name of a port of a container. */
function targetOf({ pod, address }: Endpoint, target: number | string): Target | undefined {
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  const port =
    typeof target === 'number' ? target : ports.find(({ name }) => name === target)?.containerPort;
  return port === undefined ? undefined : { host: hostOf(address), port: portOf(port) };
}

/**
 * The network of a bed: routes, kube-proxy and DNS. Programs read the table of their cluster at each connection; stand-ins and the
 * bed ask `dial`.
 */
export class Network {
  readonly #clusters = new Map<string, ClusterNetwork>();
  readonly #faults: Faults;
  /** The names of registries and chart servers, and where they are on this machine. */
  readonly #internet: { names: readonly string[]; port: number };
  readonly #blackHole: number;
  #writing: Promise<void> | undefined;

  /** @param blackHole a port of this machine that answers nothing */
  constructor(
    faults: Faults,
    internet: { names: readonly string[]; port: number },
    blackHole: number,
  ) {
    this.#faults = faults;
    this.#internet = internet;
    this.#blackHole = blackHole;
  }

  async add(parts: ClusterParts): Promise<ClusterNetwork> {
    const dns = await DnsServer.start((name) => cluster.resolve(name));
    const cluster = new ClusterNetwork(this, parts, dns);
    mkdirSync(dirname(parts.table), { recursive: true });
    this.#clusters.set(parts.name, cluster);
    this.#write();
    return cluster;
  }

  remove(name: string): void {
    this.#clusters.get(name)?.dns.stop();
    this.#clusters.delete(name);
    this.changed();
  }

  /** Rewrites the tables after this turn. */
  changed(): void {
    this.#writing ??= Promise.resolve().then(() => {
      this.#writing = undefined;
      this.#write();
    });
  }

  /** The fault between the pods of a cluster and a host, if any. */
  faultOf({ parts }: ClusterNetwork, host: string): ReturnType<Faults['networkFaultOf']> {
    return this.#faults.networkFaultOf(parts.name, host);
  }

  /** Names that pods of all clusters know. A public name of 127.0.0.1 is the pod itself. */
  resolve(name: string): string[] {
    if (this.#internet.names.includes(name)) return [internetAddress];
    if (name === 'localhost' || name.endsWith('.localtest.me')) return ['127.0.0.1'];
    for (const { parts } of this.#clusters.values())
      if (parts.nodeName === name) return [nodeAddress(parts.number)];
    return [];
  }

  /** Connections of a pod that runs a function of this process, in the words of Go's dialer. */
  dialFrom(cluster: ClusterNetwork, own: string): Dial {
    return (host, port) => {
      const address = isIP(host) ? host : this.#resolveFor(cluster, host);
      const shown = `${address}:${port}`;
      if (address?.startsWith('127.'))
        return { host: hostOf(own), port: portOf(port), address: shown };
      if (!address)
        throw new Error(
          `dial tcp: lookup ${host} on ${dnsAddress(cluster.parts.number)}:53: no such host`,
        );
      const table = this.#tableOf(cluster);
      const route = table.get(`${address}:*`) ?? table.get(shown);
      if (route === 'refused') throw new Error(`dial tcp ${shown}: connect: connection refused`);
      const [to = hostOf(address), toPort = portOf(port)] = route?.split(':') ?? [];
      return { host: to, port: Number(toPort), address: shown };
    };
  }

  #resolveFor(cluster: ClusterNetwork, host: string): string | undefined {
    const tried = [host, `${host}.cluster.local`, `${host}.svc.cluster.local`];
    return tried.flatMap((name) => cluster.resolve(name))[0];
  }

  #write(): void {
    for (const cluster of this.#clusters.values()) {
      const text = [...this.#tableOf(cluster)].map(([from, to]) => `${from} ${to}\n`).join('');
      if (cluster.written === text) continue;
      cluster.written = text;
      const { table } = cluster.parts;
      writeFileSync(`${table}.new`, text);
      renameSync(`${table}.new`, table);
    }
  }

  #tableOf(own: ClusterNetwork): Map<string, string> {
    const table = new Map<string, string>();
    const say = (target: Target | undefined) =>
      target ? `${target.host}:${target.port}` : 'refused';
    table.set(`${apiServerAddress(own.parts.number)}:443`, `127.0.0.1:${own.parts.apiPort}`);
    table.set(`${dnsAddress(own.parts.number)}:53`, `127.0.0.1:${own.dns.port}`);
    // The logs of its own pods, whatever the faults.
    table.set(`${nodeAddress(own.parts.number)}:10250`, `127.0.0.1:${own.kubeletPort}`);
    for (const port of [443, 5000])
      table.set(`${internetAddress}:${port}`, `127.0.0.1:${this.#internet.port}`);
    for (const [address, target] of own.ports.cluster)
      if (!table.has(address)) table.set(address, say(target));
    for (const each of this.#clusters.values()) {
      const { number, apiPort, nodeName } = each.parts;
      const fault = nodeName && this.faultOf(own, nodeName);
      if (fault === 'refused') table.set(`${nodeAddress(number)}:*`, 'refused');
      if (fault === 'swallowed')
        table.set(`${nodeAddress(number)}:*`, `127.0.0.1:${this.#blackHole}`);
      if (nodeName) table.set(`${nodeAddress(number)}:6443`, `127.0.0.1:${apiPort}`);
      table.set(`${nodeAddress(number)}:10250`, `127.0.0.1:${each.kubeletPort}`);
      for (const [address, target] of each.ports.node) table.set(address, say(target));
    }
    return table;
  }
}
