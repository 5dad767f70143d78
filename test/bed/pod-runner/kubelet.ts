import { EventEmitter, once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Api, keyOf } from '../kube/api.ts';
import { now } from '../kube/conditions.ts';
import { Informer } from '../kube/informer.ts';
import type { Pod, Secret, Service } from '../kube/objects.ts';
import { nodes, pods, secrets, services } from '../kube/resources.ts';
import { untilAnswered } from '../kube/retry.ts';
import type { PlaneInfo } from '../plane/plane.ts';
import type { Network } from './network.ts';
import type { NodeContext } from './node-context.ts';
import { PodWorker } from './pod-worker.ts';
import { ServiceProxy } from './service-proxy.ts';

/** A kubelet tries again soon: its API server is back in seconds. */
const pauses = { first: 200, last: 1_000 };

/** Plays scheduler, kubelet and kube-proxy of one plane: one node, on which every pod runs. */
export class Kubelet {
  readonly #nodeName: string;
  readonly #api: Api;
  readonly #log: (line: string) => void;
  readonly #context: NodeContext;
  readonly #workers = new Map<string, PodWorker>();
  readonly #signal: AbortSignal;
  #podCount = 0;

  constructor(plane: PlaneInfo, network: Network, logDir: string, signal: AbortSignal, log: (line: string) => void) {
    this.#nodeName = `${plane.name}-control-plane`;
    this.#api = new Api(plane.connection);
    this.#signal = signal;
    this.#log = (line) => log(`${plane.name}: ${line}`);
    const proxy = new ServiceProxy(this.#log);
    const changes = new EventEmitter().setMaxListeners(0);
    const options = { pauses, onError: (error: Error) => this.#log(error.message) };
    const mounted = new Informer<Secret>(
      this.#api,
      secrets,
      { ...options, onChange: () => changes.emit('secret') },
      signal,
    );
    new Informer<Service>(
      this.#api,
      services,
      {
        ...options,
        onChange: (service, change) =>
          change === 'deleted' ? proxy.removeService(service) : proxy.setService(service),
      },
      signal,
    );
    this.#context = {
      kubelet: this.#api,
      inClusterConnection: {
        server: 'https://kubernetes.default.svc',
        ...(plane.connection.caPem && { caPem: plane.connection.caPem }),
      },
      dial: network.dialFrom(plane.name),
      services: proxy,
      logDir: join(logDir, plane.name),
      findSecret: (key) => mounted.items.get(key),
      secretChange: async (until) => {
        await once(changes, 'secret', { signal: until }).catch(() => {});
      },
    };
    void this.#start(mounted.synced, options);
  }

  async #start(
    ready: Promise<void>,
    options: { pauses: typeof pauses; onError: (error: Error) => void },
  ): Promise<void> {
    await mkdir(this.#context.logDir, { recursive: true });
    await ready;
    await this.#registerNode();
    new Informer<Pod>(
      this.#api,
      pods,
      { ...options, onChange: (pod, change) => this.#onPod(pod, change) },
      this.#signal,
    );
  }

  async #registerNode(): Promise<void> {
    const labels = { 'kubernetes.io/hostname': this.#nodeName, 'node-role.kubernetes.io/control-plane': '' };
    await this.#api.ensure(nodes, { metadata: { name: this.#nodeName, labels } });
    const resources = { cpu: '2', memory: '8Gi', pods: '110' };
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      message: 'the pod runner is ready',
      lastTransitionTime: now(),
    };
    const status = { capacity: resources, allocatable: resources, conditions: [ready] };
    await this.#api.patch(nodes, this.#nodeName, { status }, { subresource: 'status' });
  }

  #onPod(pod: Pod, change: 'added' | 'changed' | 'deleted'): void {
    const key = keyOf(pod);
    const uid = pod.metadata.uid ?? '';
    const worker = this.#workers.get(uid);
    const fail = (what: string) => (error: Error) => this.#log(`${key} could not be ${what}: ${error.message}`);
    if (change === 'deleted' || pod.metadata.deletionTimestamp) {
      worker?.stop().catch(fail('removed'));
      if (change === 'deleted') this.#workers.delete(uid);
    } else if (!pod.spec.nodeName) {
      this.#bind(pod).catch(fail('bound'));
    } else if (!worker && !isFinished(pod)) {
      this.#workers.set(uid, new PodWorker(this.#context, pod, this.#nextAddress()));
    }
  }

  async #bind(pod: Pod): Promise<void> {
    const { namespace, name } = pod.metadata;
    const target = { apiVersion: 'v1', kind: 'Node', name: this.#nodeName };
    await untilAnswered(
      () => this.#api.post(pods, keyOf(pod), 'binding', { metadata: { namespace, name }, target }),
      this.#signal,
    );
  }

  #nextAddress(): string {
    this.#podCount += 1;
    return `10.244.${Math.floor(this.#podCount / 250)}.${(this.#podCount % 250) + 2}`;
  }
}

function isFinished({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
