import { EventEmitter, once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Api, keyOf } from '../kube/api.ts';
import { Informer, type InformerOptions } from '../kube/informer.ts';
import type { KubeObject, Pod, Secret, Service } from '../kube/objects.ts';
import { pods, type Resource, secrets, services } from '../kube/resources.ts';
import { untilAnswered } from '../kube/retry.ts';
import type { PlaneInfo } from '../plane/plane.ts';
import type { ContainerLog } from './container-log.ts';
import type { Faults } from './faults.ts';
import { LogServer } from './log-server.ts';
import type { NestedPlanes } from './nested-planes.ts';
import type { Network } from './network.ts';
import type { NodeContext } from './node-context.ts';
import { NodeObject } from './node-object.ts';
import { NodePorts } from './node-ports.ts';
import { PodWorker } from './pod-worker.ts';
import { Scheduler } from './scheduler.ts';
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
  readonly #evicted = new Set<string>();
  readonly #node: NodeObject;
  readonly #scheduler: Scheduler;
  #podCount = 0;

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
    this.#node = new NodeObject(this.#api, plane.nodeName);
    this.#scheduler = new Scheduler(this.#context);
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
    await untilAnswered(() => this.#node.register({ InternalIP: '127.0.0.1' }, logs.port), this.#signal);
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
    const failed = (error: Error) => this.#log(error.message);
    await untilAnswered(() => this.#node.reportDisk(isFull), this.#signal).catch(failed);
    for (const [uid, worker] of evicted) {
      this.#evicted.add(uid);
      this.#workers.delete(uid);
      await worker.evict().catch(failed);
    }
    await this.#scheduler.retry(failed);
  }

  #watch<T extends KubeObject>(resource: Resource, onChange: NonNullable<InformerOptions<T>['onChange']>): Informer<T> {
    const onError = ({ message }: Error) => this.#log(message);
    return new Informer<T>(this.#api, resource, { pauses, onError, onChange }, this.#signal);
  }

  #onPod(pod: Pod, change: 'added' | 'changed' | 'deleted'): void {
    const { uid = '', deletionTimestamp } = pod.metadata;
    const worker = this.#workers.get(uid);
    const failed = (what: string) => (error: Error) => this.#log(`${keyOf(pod)} ${what}: ${error.message}`);
    if (change === 'deleted') {
      worker?.abandon();
      this.#workers.delete(uid);
      this.#scheduler.forget(pod);
      this.#evicted.delete(uid);
    } else if (deletionTimestamp) {
      const removed = worker ? worker.stop() : this.#remove(pod);
      removed.catch(failed('could not be removed'));
    } else if (!pod.spec.nodeName) {
      this.#scheduler.bind(pod).catch(failed('could not be bound'));
    } else if (worker) {
      worker.changed(pod);
    } else if (!isFinished(pod) && !this.#evicted.has(uid)) {
      this.#scheduler.forget(pod);
      this.#workers.set(uid, new PodWorker(this.#context, pod, this.#nextAddress()));
    }
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

function isFinished({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
