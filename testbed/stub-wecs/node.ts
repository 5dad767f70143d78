import { EventEmitter, once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { type Api, type Dial, keyOf } from '../kube/api.ts';
import { Informer } from '../kube/informer.ts';
import type { Deployment, Pod, Secret } from '../kube/objects.ts';
import { deployments, nodes, pods, secrets } from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { Faults } from '../pod-runner/faults.ts';
import { NestedPlanes } from '../pod-runner/nested-planes.ts';
import type { NodeContext } from '../pod-runner/node-context.ts';
import { NodePorts } from '../pod-runner/node-ports.ts';
import { PodWorker } from '../pod-runner/pod-worker.ts';
import { ServiceProxy } from '../pod-runner/service-proxy.ts';
import { StubApi } from './api.ts';
import type { StubObjects } from './objects.ts';

/** The pod template from which a Deployment's pod was created. */
const templateAnnotation = 'stub/template';

interface NodeOptions {
  name: string;
  objects: StubObjects;
  dial: Dial;
  logDir: string;
  log: (line: string) => void;
}

/**
 * The node of a stub: creates the pods of Deployments, without ReplicaSets, and runs the bed's own programs in them, as
 * the pod runner does for the planes. Services and ports are not served.
 */
export class StubNode {
  readonly #api: Api;
  readonly #context: NodeContext;
  readonly #signal: AbortSignal;
  readonly #workers = new Map<string, PodWorker>();
  readonly #deployments: Informer<Deployment>;
  readonly #pods: Informer<Pod>;

  constructor({ name, objects, dial, logDir, log }: NodeOptions, signal: AbortSignal) {
    this.#api = new StubApi(objects);
    this.#signal = signal;
    mkdirSync(logDir, { recursive: true });
    const changes = new EventEmitter().setMaxListeners(0);
    const mounted = new Informer<Secret>(this.#api, secrets, { onChange: () => changes.emit('secret') }, signal);
    this.#context = {
      plane: name,
      nodeName: name,
      faults: new Faults(),
      kubelet: this.#api,
      connectOwn: () => new StubApi(objects),
      dial,
      services: new ServiceProxy(log),
      nodePorts: new NodePorts([], log),
      nestedPlanes: new NestedPlanes(logDir, '', () => {}),
      logDir,
      signal,
      findSecret: (key) => mounted.items.get(key),
      secretChange: async (until) => {
        await once(changes, 'secret', { signal: until }).catch(() => {});
      },
    };
    const queue = new WorkQueue(
      (key) => this.#reconcile(key),
      signal,
      (key, { message }) => log(`${name}: deployment ${key}: ${message}`),
    );
    this.#deployments = new Informer(this.#api, deployments, { onChange: (each) => queue.add(keyOf(each)) }, signal);
    this.#pods = new Informer(
      this.#api,
      pods,
      {
        onChange: (pod, change) => {
          this.#onPod(pod, change);
          queue.add(`${pod.metadata.namespace}/${pod.metadata.ownerReferences?.[0]?.name}`);
        },
      },
      signal,
    );
    signal.addEventListener('abort', () => {
      for (const worker of this.#workers.values()) worker.abandon();
    });
  }

  async register(): Promise<void> {
    const capacity = { cpu: '2', memory: '8Gi', pods: '110' };
    const metadata = { name: this.#context.nodeName };
    await this.#api.ensure(nodes, { metadata });
    const status = { capacity, allocatable: capacity };
    await this.#api.patch(nodes, metadata.name, { status }, { subresource: 'status' });
  }

  #onPod(pod: Pod, change: 'added' | 'changed' | 'deleted'): void {
    const { uid = '', deletionTimestamp } = pod.metadata;
    const worker = this.#workers.get(uid);
    if (change === 'deleted') this.#workers.delete(uid);
    if (change === 'deleted' || deletionTimestamp) void worker?.stop();
    else if (!worker) this.#workers.set(uid, new PodWorker(this.#context, pod, '10.244.0.2'));
  }

  async #reconcile(key: string): Promise<void> {
    await this.#pods.synced;
    const deployment = this.#deployments.items.get(key);
    if (!deployment || this.#signal.aborted) return;
    const { spec, metadata } = deployment;
    const template = JSON.stringify(spec.template);
    const own = [...this.#pods.items.values()].filter(
      (pod) => pod.metadata.ownerReferences?.[0]?.uid === metadata.uid && !pod.metadata.deletionTimestamp,
    );
    const current = own.filter((pod) => pod.metadata.annotations?.[templateAnnotation] === template);
    const replicas = spec.replicas ?? 1;
    const superfluous = [...own.filter((pod) => !current.includes(pod)), ...current.slice(replicas)];
    for (const pod of superfluous)
      await this.#api.delete(pods, keyOf(pod), { preconditions: { uid: pod.metadata.uid ?? '' } });
    for (let count = current.length; count < replicas; count += 1) await this.#makePod(deployment, template);
    await this.#report(deployment, current.slice(0, replicas).filter(isReady).length);
  }

  async #makePod({ metadata, spec }: Deployment, template: string): Promise<void> {
    const { name, namespace = '', uid = '' } = metadata;
    const { metadata: { labels = {} } = {}, spec: podSpec } = spec.template as Pick<Pod, 'spec'> & Partial<Pod>;
    const made = await this.#api.create<Pod>(pods, {
      metadata: {
        generateName: `${name}-`,
        namespace,
        labels,
        annotations: { [templateAnnotation]: template },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name, uid, controller: true }],
      },
      spec: { ...podSpec, nodeName: this.#context.nodeName },
    });
    // Wait for its event: a reconciliation before it would create another pod.
    while (!this.#pods.items.has(keyOf(made)) && !this.#signal.aborted) await new Promise(setImmediate);
  }

  async #report({ metadata, spec, status }: Deployment, ready: number): Promise<void> {
    const replicas = spec.replicas ?? 1;
    const counts = { replicas, updatedReplicas: replicas, readyReplicas: ready, availableReplicas: ready };
    const isAvailable = ready >= replicas;
    const wanted = {
      observedGeneration: metadata.generation,
      ...counts,
      unavailableReplicas: replicas - ready,
      conditions: [{ type: 'Available', status: isAvailable ? 'True' : 'False', reason: 'MinimumReplicas' }],
    };
    if (isDeepStrictEqual(status, wanted)) return;
    await this.#api.patch(deployments, keyOf({ metadata }), { status: wanted }, { subresource: 'status' });
  }
}

const isReady = ({ status }: Pod): boolean => status?.containerStatuses?.every(({ ready }) => ready) ?? false;
