import { join } from 'node:path';
import { Api, keyOf } from '../kube/api.ts';
import { Informer, type InformerOptions } from '../kube/informer.ts';
import type { ConfigMap, KubeObject, Pod, Secret, Service } from '../kube/objects.ts';
import { configMaps, nodes, pods, type Resource, secrets, services } from '../kube/resources.ts';
import { untilAnswered } from '../kube/retry.ts';
import type { PlaneInfo } from '../plane/plane.ts';
import type { ContainerLog } from '../pod-runner/container-log.ts';
import type { Faults } from '../pod-runner/faults.ts';
import { LogServer } from '../pod-runner/log-server.ts';
import type { NestedPlanes } from '../pod-runner/nested-planes.ts';
import { NodeObject } from '../pod-runner/node-object.ts';
import type { NodeWithRoom } from '../pod-runner/node-room.ts';
import { Scheduler } from '../pod-runner/scheduler.ts';
import { dnsAddress, nodeAddress, podAddress } from './addresses.ts';
import { tableOf } from './folder.ts';
import type { ClusterNetwork, Network } from './network.ts';
import type { NodeContext } from './node-context.ts';
import { PodRun } from './pod.ts';
import type { Machine } from './process.ts';

/** What all kubelets of one bed share. */
export interface Surroundings {
  /** The folder of the bed. */
  dir: string;
  network: Network;
  faults: Faults;
  nestedPlanes: NestedPlanes;
  machine: Omit<Machine, 'plane' | 'table'>;
  log: (line: string) => void;
}

/** Scheduler, kubelet, kube-proxy and DNS of one plane: one node, on which every pod runs as processes of this machine. */
export class Kubelet {
  readonly #plane: PlaneInfo;
  readonly #api: Api;
  readonly #log: (line: string) => void;
  readonly #signal: AbortSignal;
  readonly #node: NodeContext;
  readonly #scheduler: Scheduler;
  #nodes: Informer<NodeWithRoom> | undefined;
  #pods: Informer<Pod> | undefined;
  readonly #runs = new Map<string, PodRun>();
  /** The nth addresses of pods that run. */
  readonly #addresses = new Map<string, number>();
  #lastAddress = 1;

  private constructor(
    plane: PlaneInfo,
    cluster: ClusterNetwork,
    { dir, machine, network, faults, nestedPlanes, log }: Surroundings,
    signal: AbortSignal,
  ) {
    this.#plane = plane;
    this.#signal = signal;
    this.#log = (line) => log(`${plane.name}: ${line}`);
    this.#api = new Api(plane.connection);
    const changed = ({ metadata: { namespace } }: KubeObject) => {
      for (const run of this.#runs.values())
        if (run.key.startsWith(`${namespace}/`)) run.surroundingsChanged();
    };
    const mountable = {
      secrets: this.#watch<Secret>(secrets, changed),
      configMaps: this.#watch<ConfigMap>(configMaps, changed),
    };
    this.#watch<Service>(services, (service, change) => {
      if (change === 'deleted') cluster.services.delete(keyOf(service));
      else cluster.services.set(keyOf(service), service);
      cluster.changed();
    });
    this.#node = {
      machine: { ...machine, plane: plane.number, table: cluster.parts.table },
      address: nodeAddress(plane.number),
      plane: plane.name,
      nodeName: plane.nodeName,
      kubelet: this.#api,
      caPem: plane.caPem,
      network,
      faults,
      cluster,
      nestedPlanes,
      podsDir: join(dir, 'pods', plane.name.replaceAll('/', '_')),
      publishedPorts: plane.ports,
      signal,
      secret: (key) => mountable.secrets.items.get(key),
      configMap: (key) => mountable.configMaps.items.get(key),
      setReady: ({ pod, container }, isReady) =>
        this.#runs.get(pod.metadata.uid ?? '')?.setReady(container.name, isReady),
    };
    this.#scheduler = new Scheduler({
      ...this.#node,
      seen: () => ({
        node: this.#nodes?.items.get(plane.nodeName),
        pods: [...(this.#pods?.items.values() ?? [])],
      }),
    });
    const synced = Promise.all([mountable.secrets.synced, mountable.configMaps.synced]);
    this.#start(synced).catch((error: Error) => this.#log(error.message));
  }

  /** @param isNested its node is the one of the hosting plane, which has a name already */
  static async start(
    plane: PlaneInfo,
    isNested: boolean,
    surroundings: Surroundings,
    signal: AbortSignal,
  ): Promise<Kubelet> {
    const { name, number, port: apiPort, nodeName } = plane;
    const table = tableOf(surroundings.dir, name);
    const cluster = await surroundings.network.add({
      name,
      number,
      apiPort,
      table,
      ...(!isNested && { nodeName }),
    });
    signal.addEventListener('abort', () => surroundings.network.remove(name));
    return new Kubelet(plane, cluster, surroundings, signal);
  }

  /** Ends all containers. */
  async stop(): Promise<void> {
    await Promise.all([...this.#runs.values()].map((run) => run.abandon()));
    this.#api.close();
  }

  async #start(mountable: Promise<unknown>): Promise<void> {
    const { cluster, faults } = this.#node;
    const { nodeName, number } = this.#plane;
    const object = new NodeObject(this.#api, nodeName);
    const addresses = { InternalIP: nodeAddress(number), Hostname: nodeName };
    await mountable;
    const logs = await LogServer.start(nodeName, (...which) => this.#findLog(...which));
    this.#signal.addEventListener('abort', () => logs.stop());
    cluster.kubeletPort = logs.port;
    cluster.changed();
    await untilAnswered(() => object.register(addresses, 10250), this.#signal);
    await untilAnswered(() => this.#ensureDns(), this.#signal);
    const retry = () => this.#scheduler.retry(({ message }) => this.#log(message));
    // Its room may have grown.
    this.#nodes = this.#watch<NodeWithRoom>(nodes, () => void retry());
    await this.#nodes.synced;
    this.#pods = this.#watch<Pod>(pods, (pod, change) => this.#onPod(pod, change));
    for (let change = faults.change(this.#signal); !this.#signal.aborted; ) {
      await change;
      // Subscribe now: a change during what follows needs another round.
      change = faults.change(this.#signal);
      for (const run of this.#runs.values()) run.surroundingsChanged();
      await retry();
    }
  }

  #watch<T extends KubeObject>(
    resource: Resource,
    onChange: NonNullable<InformerOptions<T>['onChange']>,
  ): Informer<T> {
    const onError = ({ message }: Error) => this.#log(message);
    return new Informer<T>(this.#api, resource, { onError, onChange }, this.#signal);
  }

  /** Reserves the address of the DNS server, as every cluster does. */
  async #ensureDns(): Promise<void> {
    const spec = {
      clusterIP: dnsAddress(this.#plane.number),
      ports: [{ name: 'dns', port: 53, protocol: 'UDP' }],
    };
    await this.#api.ensure<Service>(services, {
      metadata: { name: 'kube-dns', namespace: 'kube-system' },
      spec,
    });
  }

  #onPod(pod: Pod, change: 'added' | 'changed' | 'deleted'): void {
    const { uid = '', deletionTimestamp } = pod.metadata;
    const run = this.#runs.get(uid);
    const failed = (what: string) => (error: Error) =>
      this.#log(`${keyOf(pod)} ${what}: ${error.message}`);
    if (change === 'deleted') {
      this.#runs.delete(uid);
      this.#scheduler.forget(pod);
      void run?.abandon().then(() => this.#addresses.delete(uid));
      void this.#scheduler.retry(failed('made no room'));
    } else if (deletionTimestamp) {
      run?.changed(pod);
      const removed = run ? run.stop() : this.#remove(pod);
      removed.catch(failed('could not be removed'));
    } else if (!pod.spec.nodeName) {
      this.#scheduler.bind(pod).catch(failed('could not be bound'));
    } else if (run) {
      run.changed(pod);
    } else if (!isFinished(pod)) {
      this.#scheduler.forget(pod);
      this.#runs.set(uid, new PodRun(this.#node, pod, this.#claimAddress(uid)));
    }
  }

  /** Removes a pod that never ran: it was deleted right after its binding, while no watch was open. */
  async #remove(pod: Pod): Promise<void> {
    const { uid = '' } = pod.metadata;
    const options = { gracePeriodSeconds: 0, preconditions: { uid } };
    await untilAnswered(() => this.#api.delete(pods, keyOf(pod), options), this.#signal);
  }

  #findLog(namespace: string, pod: string, container: string): ContainerLog {
    const run = [...this.#runs.values()].find((each) => each.key === `${namespace}/${pod}`);
    if (!run) throw new Error(`pod "${pod}" not found`);
    return run.logOf(container);
  }

  /** The next free address: one that was in use a moment ago may still have connections. */
  #claimAddress(uid: string): string {
    const used = new Set(this.#addresses.values());
    do this.#lastAddress = (this.#lastAddress % 254) + 1;
    while (this.#lastAddress < 2 || used.has(this.#lastAddress));
    this.#addresses.set(uid, this.#lastAddress);
    return podAddress(this.#plane.number, this.#lastAddress);
  }
}

function isFinished({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
