import { EventEmitter, once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Api, keyOf } from '../kube/api.ts';
import { now } from '../kube/conditions.ts';
import { Informer, type InformerOptions } from '../kube/informer.ts';
import type { KubeObject, Pod, Secret, Service } from '../kube/objects.ts';
import { nodes, pods, type Resource, secrets, services } from '../kube/resources.ts';
import { untilAnswered } from '../kube/retry.ts';
import type { PlaneInfo } from '../plane/plane.ts';
import type { ContainerLog } from './container-log.ts';
import type { Faults } from './faults.ts';
import { LogServer } from './log-server.ts';
import type { NestedPlanes } from './nested-planes.ts';
import type { Network } from './network.ts';
import type { NodeContext } from './node-context.ts';
import { NodePorts } from './node-ports.ts';
import { warn } from './pod-events.ts';
import { PodWorker } from './pod-worker.ts';
import { ServiceProxy } from './service-proxy.ts';

/** Short pauses: a stopped API server returns within seconds. */
const pauses = { first: 200, last: 1_000 };

/** What all kubelets of one pod runner share. */
export interface Surroundings {
  network: Network;
  faults: Faults;
  nestedPlanes: NestedPlanes;
  podLogs: string;
  log: (line: string) => void;
}

/** The stand-in for scheduler, kubelet and kube-proxy of one plane: one node, on which every pod runs. */
export class Kubelet {
  readonly #nodeName: string;
  readonly #api: Api;
  readonly #log: (line: string) => void;
  readonly #signal: AbortSignal;
  readonly #context: NodeContext;
  readonly #faults: Faults;
  readonly #workers = new Map<string, PodWorker>();
  /** Unscheduled pods by UID, with the last reported reason. */
  readonly #unbound = new Map<string, { pod: Pod; why?: string }>();
  readonly #evicted = new Set<string>();
  #podCount = 0;
  #isFull = false;

  /** `isNested`: the node has the name of the hosting plane's node, which the network already knows. */
  constructor(plane: PlaneInfo, isNested: boolean, surroundings: Surroundings, signal: AbortSignal) {
    const { network, faults, nestedPlanes, podLogs } = surroundings;
    this.#faults = faults;
    this.#nodeName = plane.nodeName;
    this.#api = new Api(plane.connection);
    this.#signal = signal;
    this.#log = (line) => surroundings.log(`${plane.name}: ${line}`);
    const proxy = new ServiceProxy(this.#log);
    network.addCluster(plane.name, plane.port, proxy, isNested ? undefined : plane.nodeName);
    const changes = new EventEmitter().setMaxListeners(0);
    const mounted = this.#watch<Secret>(secrets, () => changes.emit('secret'));
    this.#watch<Service>(services, (service, change) => {
      if (change === 'deleted') proxy.removeService(service);
      else proxy.setService(service);
    });
    const dial = network.dialFrom(plane.name);
    const inCluster = { server: 'https://kubernetes.default.svc', caPem: plane.caPem, dial };
    this.#context = {
      plane: plane.name,
      nodeName: plane.nodeName,
      faults,
      kubelet: this.#api,
      connectOwn: (token) => new Api({ ...inCluster, token }),
      dial,
      services: proxy,
      nodePorts: new NodePorts(plane.ports, this.#log),
      nestedPlanes,
      logDir: join(podLogs, plane.name),
      signal,
      findSecret: (key) => mounted.items.get(key),
      secretChange: async (until) => {
        await once(changes, 'secret', { signal: until }).catch(() => {});
      },
    };
    mkdirSync(this.#context.logDir, { recursive: true });
    signal.addEventListener('abort', () => {
      for (const worker of this.#workers.values()) worker.abandon();
      proxy.close();
      network.removeCluster(plane.name);
    });
    this.#start(mounted.synced).catch((error: Error) => this.#log(error.message));
  }

  async #start(mountable: Promise<void>): Promise<void> {
    await mountable;
    const logs = await LogServer.start(this.#nodeName, (...which) => this.#findLog(...which));
    this.#signal.addEventListener('abort', () => logs.stop());
    await untilAnswered(() => this.#registerNode(logs.port), this.#signal);
    this.#watch<Pod>(pods, (pod, change) => this.#onPod(pod, change));
    for (let change = this.#faults.change(this.#signal); !this.#signal.aborted; ) {
      await change;
      // Subscribe now: a change during #onFaults needs another round.
      change = this.#faults.change(this.#signal);
      await this.#onFaults();
    }
  }

  /** Reports the node, evicts pods, and tries to bind unscheduled pods. */
  async #onFaults(): Promise<void> {
    const { plane } = this.#context;
    const isFull = this.#faults.hasDiskPressure(plane);
    const evicted = [...this.#workers].filter(([, worker]) => this.#faults.isEvicted(plane, worker.pod));
    const unbound = [...this.#unbound.values()].map(({ pod }) => pod);
    const failed = (error: Error) => this.#log(error.message);
    await untilAnswered(() => this.#reportNode(isFull), this.#signal).catch(failed);
    for (const [uid, worker] of evicted) {
      this.#evicted.add(uid);
      this.#workers.delete(uid);
      await worker.evict().catch(failed);
    }
    for (const pod of unbound) await this.#bind(pod).catch(failed);
  }

  #watch<T extends KubeObject>(resource: Resource, onChange: NonNullable<InformerOptions<T>['onChange']>): Informer<T> {
    const onError = ({ message }: Error) => this.#log(message);
    return new Informer<T>(this.#api, resource, { pauses, onError, onChange }, this.#signal);
  }

  async #registerNode(kubeletPort: number): Promise<void> {
    const labels = { 'kubernetes.io/hostname': this.#nodeName, 'node-role.kubernetes.io/control-plane': '' };
    await this.#api.ensure(nodes, { metadata: { name: this.#nodeName, labels } });
    const resources = { cpu: '2', memory: '8Gi', pods: '110' };
    const status = {
      capacity: resources,
      allocatable: resources,
      conditions: nodeConditions(false),
      // The address from which the API server fetches container logs.
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    };
    await this.#api.patch(nodes, this.#nodeName, { status }, { subresource: 'status' });
    // The API server gives each new node the taint of one that is not ready, which the node lifecycle controller removes.
    await this.#api.patch(nodes, this.#nodeName, { spec: { taints: null } });
  }

  /** Reports disk pressure, as kubelet and node lifecycle controller do. */
  async #reportNode(isFull: boolean): Promise<void> {
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    const taints = isFull
      ? [{ key: 'node.kubernetes.io/disk-pressure', effect: 'NoSchedule', timeAdded: now() }]
      : null;
    const status = { conditions: nodeConditions(isFull) };
    await this.#api.patch(nodes, this.#nodeName, { status }, { subresource: 'status' });
    await this.#api.patch(nodes, this.#nodeName, { spec: { taints } });
  }

  #onPod(pod: Pod, change: 'added' | 'changed' | 'deleted'): void {
    const { uid = '', deletionTimestamp } = pod.metadata;
    const worker = this.#workers.get(uid);
    const failed = (what: string) => (error: Error) => this.#log(`${keyOf(pod)} ${what}: ${error.message}`);
    if (change === 'deleted') {
      worker?.abandon();
      this.#workers.delete(uid);
      this.#unbound.delete(uid);
      this.#evicted.delete(uid);
    } else if (deletionTimestamp) {
      const removed = worker ? worker.stop() : this.#remove(pod);
      removed.catch(failed('could not be removed'));
    } else if (!pod.spec.nodeName) {
      // A status update of an unscheduled pod needs no new attempt.
      if (!this.#unbound.has(uid))
        this.#bind(pod).catch((error: Error) => {
          this.#unbound.delete(uid);
          failed('could not be bound')(error);
        });
    } else if (worker) {
      worker.changed(pod);
    } else if (!isFinished(pod) && !this.#evicted.has(uid)) {
      this.#unbound.delete(uid);
      this.#workers.set(uid, new PodWorker(this.#context, pod, this.#nextAddress()));
    }
  }

  async #bind(pod: Pod): Promise<void> {
    const { namespace, name, uid = '' } = pod.metadata;
    const why = this.#faults.unschedulable(this.#context.plane, pod);
    const told = this.#unbound.get(uid)?.why;
    this.#unbound.set(uid, { pod, ...(why && { why }) });
    if (why && why !== told) await this.#leaveUnbound(pod, why);
    if (why) return;
    const target = { apiVersion: 'v1', kind: 'Node', name: this.#nodeName };
    const binding = { metadata: { namespace, name }, target };
    await untilAnswered(() => this.#api.post(pods, keyOf(pod), 'binding', binding), this.#signal);
  }

  /** Reports that a pod is unschedulable, as the scheduler does. */
  async #leaveUnbound(pod: Pod, message: string): Promise<void> {
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
    const status = { conditions: [{ ...condition, lastTransitionTime: now() }] };
    await untilAnswered(() => this.#api.patch(pods, keyOf(pod), { status }, { subresource: 'status' }), this.#signal);
    await warn(this.#api, pod, { reason: 'FailedScheduling', message, component: 'default-scheduler' });
  }

  /** Removes a pod that never ran: it was deleted right after its binding, while no watch was open. */
  async #remove(pod: Pod): Promise<void> {
    const { uid = '' } = pod.metadata;
    const options = { gracePeriodSeconds: 0, preconditions: { uid } };
    await untilAnswered(() => this.#api.delete(pods, keyOf(pod), options), this.#signal);
  }

  #findLog(namespace: string, pod: string, container: string): ContainerLog {
    const worker = [...this.#workers.values()].find((each) => each.key === `${namespace}/${pod}`);
    if (!worker) throw new Error(`pod "${pod}" not found`);
    return worker.logOf(container);
  }

  #nextAddress(): string {
    this.#podCount += 1;
    return `10.244.${Math.floor(this.#podCount / 250)}.${(this.#podCount % 250) + 2}`;
  }
}

function nodeConditions(isFull: boolean) {
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'the pod runner is ready' };
  const pressure = isFull
    ? { status: 'True', reason: 'KubeletHasDiskPressure', message: 'kubelet has disk pressure' }
    : { status: 'False', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' };
  return [{ type: 'DiskPressure', ...pressure }, ready].map((each) => ({ ...each, lastTransitionTime: now() }));
}

function isFinished({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
