import { isDeepStrictEqual } from 'node:util';
import { type Api, type Dial, keyOf } from '../kube/api.ts';
import { Informer } from '../kube/informer.ts';
import type { Deployment, Pod } from '../kube/objects.ts';
import { deployments, nodes, pods } from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { operatorNamespace } from '../ocm/names.ts';
import { PodStatus } from '../pod-runner/pod-status.ts';
import { StubApi } from './api.ts';
import type { StubObjects } from './objects.ts';
import { runOperator } from './operator.ts';

/** The pod template from which a Deployment's pod was created. */
const templateAnnotation = 'stub/template';

interface NodeOptions {
  name: string;
  objects: StubObjects;
  dial: Dial;
  log: (line: string) => void;
}

/** The Deployment of the klusterlet's operator. */
const operator = `${operatorNamespace}/klusterlet`;

/**
 * The node of a stub: creates the pods of Deployments, without ReplicaSets, and reports them as ready. That of the klusterlet's
 * operator does what the operator does; nothing runs in the others.
 */
export class StubNode {
  readonly #api: Api;
  readonly #name: string;
  readonly #signal: AbortSignal;
  readonly #deployments: Informer<Deployment>;
  readonly #pods: Informer<Pod>;

  constructor({ name, objects, dial, log }: NodeOptions, signal: AbortSignal) {
    this.#api = new StubApi(objects);
    this.#name = name;
    this.#signal = signal;
    const operators = new Map<string, AbortController>();
    const queue = new WorkQueue(
      (key) => this.#reconcile(key),
      signal,
      (key, { message }) => log(`${name}: deployment ${key}: ${message}`),
    );
    this.#deployments = new Informer(
      this.#api,
      deployments,
      { onChange: (each) => queue.add(keyOf(each)) },
      signal,
    );
    this.#pods = new Informer(
      this.#api,
      pods,
      {
        onChange: (pod, change) => {
          const { uid = '', namespace, deletionTimestamp, ownerReferences } = pod.metadata;
          const owner = `${namespace}/${ownerReferences?.[0]?.name}`;
          queue.add(owner);
          if (change === 'deleted' || deletionTimestamp) operators.get(uid)?.abort();
          if (change === 'changed' && deletionTimestamp) void this.#remove(pod);
          if (change !== 'added') return;
          this.#start(pod);
          if (owner !== operator) return;
          const running = new AbortController();
          operators.set(uid, running);
          runOperator({ api: this.#api, dial, log }, AbortSignal.any([signal, running.signal]));
        },
      },
      signal,
    );
  }

  async register(): Promise<void> {
    const capacity = { cpu: '2', memory: '8Gi', pods: '110' };
    const metadata = { name: this.#name };
    await this.#api.ensure(nodes, { metadata });
    const status = { capacity, allocatable: capacity };
    await this.#api.patch(nodes, metadata.name, { status }, { subresource: 'status' });
  }

  #start(pod: Pod): void {
    const status = new PodStatus(this.#api, pod, '10.244.0.2', this.#signal);
    for (const { name } of pod.spec.containers) {
      status.running(name);
      status.setReady(name, true);
    }
  }

  async #remove(pod: Pod): Promise<void> {
    const { uid = '' } = pod.metadata;
    await this.#api
      .delete(pods, keyOf(pod), { gracePeriodSeconds: 0, preconditions: { uid } })
      .catch(() => {});
  }

  async #reconcile(key: string): Promise<void> {
    await this.#pods.synced;
    const deployment = this.#deployments.items.get(key);
    if (!deployment || this.#signal.aborted) return;
    const { spec, metadata } = deployment;
    const template = JSON.stringify(spec.template);
    const own = [...this.#pods.items.values()].filter(
      (pod) =>
        pod.metadata.ownerReferences?.[0]?.uid === metadata.uid && !pod.metadata.deletionTimestamp,
    );
    const current = own.filter(
      (pod) => pod.metadata.annotations?.[templateAnnotation] === template,
    );
    const replicas = spec.replicas ?? 1;
    const superfluous = [
      ...own.filter((pod) => !current.includes(pod)),
      ...current.slice(replicas),
    ];
    for (const pod of superfluous)
      await this.#api.delete(pods, keyOf(pod), { preconditions: { uid: pod.metadata.uid ?? '' } });
    for (let count = current.length; count < replicas; count += 1)
      await this.#makePod(deployment, template);
    await this.#report(deployment, current.slice(0, replicas).filter(isReady).length);
  }

  async #makePod({ metadata, spec }: Deployment, template: string): Promise<void> {
    const { name, namespace = '', uid = '' } = metadata;
    const { metadata: { labels = {} } = {}, spec: podSpec } = spec.template as Pick<Pod, 'spec'> &
      Partial<Pod>;
    const made = await this.#api.create<Pod>(pods, {
      metadata: {
        generateName: `${name}-`,
        namespace,
        labels,
        annotations: { [templateAnnotation]: template },
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'Deployment', name, uid, controller: true },
        ],
      },
      spec: { ...podSpec, nodeName: this.#name },
    });
    // Wait for its event: a reconciliation before it would create another pod.
    while (!this.#pods.items.has(keyOf(made)) && !this.#signal.aborted)
      await new Promise(setImmediate);
  }

  async #report({ metadata, spec, status }: Deployment, ready: number): Promise<void> {
    const replicas = spec.replicas ?? 1;
    const counts = {
      replicas,
      updatedReplicas: replicas,
      readyReplicas: ready,
      availableReplicas: ready,
    };
    const isAvailable = ready >= replicas;
    const wanted = {
      observedGeneration: metadata.generation,
      ...counts,
      unavailableReplicas: replicas - ready,
      conditions: [
        { type: 'Available', status: isAvailable ? 'True' : 'False', reason: 'MinimumReplicas' },
      ],
    };
    if (isDeepStrictEqual(status, wanted)) return;
    await this.#api.patch(
      deployments,
      keyOf({ metadata }),
      { status: wanted },
      { subresource: 'status' },
    );
  }
}

const isReady = ({ status }: Pod): boolean =>
  status?.containerStatuses?.every(({ ready }) => ready) ?? false;
