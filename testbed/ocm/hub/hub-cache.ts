import type { Api } from '../../kube/api.ts';
import { Informer } from '../../kube/informer.ts';
import type { CertificateSigningRequest, Condition, KubeObject, Lease, ManagedCluster } from '../../kube/objects.ts';
import {
  certificateSigningRequests,
  leases,
  managedClusterAddOns,
  managedClusters,
  manifestWorks,
  type Resource,
} from '../../kube/resources.ts';
import { WorkQueue } from '../../kube/work-queue.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import { clusterLease, clusterNameLabel } from '../names.ts';

type Listener<T> = (object: T, change: 'added' | 'changed' | 'deleted', before?: T) => void;

/** The shared informers and state of the hub's controllers. */
export class HubCache {
  readonly api: Api;
  readonly signal: AbortSignal;
  readonly clusters: Watched<ManagedCluster>;
  readonly requests: Watched<CertificateSigningRequest>;
  readonly leases: Watched<Lease>;
  readonly works: Watched<KubeObject>;
  readonly addons: Watched<KubeObject>;
  readonly synced: Promise<unknown>;
  readonly done: Promise<unknown>;
  readonly #log: (line: string) => void;

  constructor({ api, signal, log }: PodContext) {
    this.api = api;
    this.signal = signal;
    this.#log = log;
    const watch = <T extends KubeObject>(resource: Resource, options = {}) =>
      new Watched<T>(api, resource, options, signal, log);
    this.clusters = watch(managedClusters);
    this.requests = watch(certificateSigningRequests, { labelSelector: clusterNameLabel });
    this.leases = watch(leases, { fieldSelector: `metadata.name=${clusterLease}` });
    this.works = watch(manifestWorks);
    this.addons = watch(managedClusterAddOns);
    const all = [this.clusters, this.requests, this.leases, this.works, this.addons];
    this.synced = Promise.all(all.map(({ informer }) => informer.synced));
    this.done = Promise.all(all.map(({ informer }) => informer.done));
  }

  cluster(name: string): ManagedCluster | undefined {
    return this.clusters.informer.items.get(name);
  }

  /** The objects of one cluster's namespace. */
  inNamespace<T extends KubeObject>(watched: Watched<T>, cluster: string): T[] {
    return [...watched.informer.items.values()].filter(({ metadata }) => metadata.namespace === cluster);
  }

  /** A queue whose failures are logged. */
  queue(controller: string, handle: (key: string) => Promise<void>): WorkQueue {
    return new WorkQueue(handle, this.signal, (key, error) => this.#log(`${controller} ${key}: ${error.message}`));
  }

  /** Stores a cluster's conditions, if the cluster was not changed meanwhile. */
  async patchConditions({ metadata }: ManagedCluster, conditions: Condition[]): Promise<void> {
    const { name, uid, resourceVersion } = metadata;
    const body = { metadata: { uid, resourceVersion }, status: { conditions } };
    await this.api.patch(managedClusters, name, body, { subresource: 'status' });
  }

  /** Stores part of a cluster, if the cluster was not changed meanwhile. */
  async patchCluster({ metadata }: ManagedCluster, body: { metadata?: object; spec?: object }): Promise<void> {
    const { name, uid, resourceVersion } = metadata;
    await this.api.patch(managedClusters, name, { ...body, metadata: { ...body.metadata, uid, resourceVersion } });
  }

  async setFinalizer(cluster: ManagedCluster, finalizer: string, present: boolean): Promise<boolean> {
    const { finalizers = [] } = cluster.metadata;
    if (finalizers.includes(finalizer) === present) return false;
    const wanted = present ? [...finalizers, finalizer] : finalizers.filter((name) => name !== finalizer);
    await this.patchCluster(cluster, { metadata: { finalizers: wanted } });
    return true;
  }
}

/** An informer that several controllers listen to. */
class Watched<T extends KubeObject> {
  readonly informer: Informer<T>;
  readonly #listeners: Listener<T>[] = [];

  constructor(api: Api, resource: Resource, options: object, signal: AbortSignal, log: (line: string) => void) {
    const onChange: Listener<T> = (...args) => {
      for (const listener of this.#listeners) listener(...args);
    };
    this.informer = new Informer<T>(
      api,
      resource,
      { ...options, onChange, onError: ({ message }) => log(message) },
      signal,
    );
  }

  /** Includes existing objects, from the first list. */
  onChange(listener: Listener<T>): void {
    this.#listeners.push(listener);
  }
}

export type { Watched };
