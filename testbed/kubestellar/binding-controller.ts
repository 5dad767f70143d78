import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Api } from '../kube/api.ts';
import { applyOver } from '../kube/apply.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { Informer } from '../kube/informer.ts';
import { selects } from '../kube/label-selector.ts';
import type { KubeObject, ManagedCluster } from '../kube/objects.ts';
import { bindingPolicies, bindings, managedClusters } from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import type { Binding, BindingPolicy, BoundObject } from './bindings.ts';
import { modulationOf } from './matching.ts';
import { finalizers } from './names.ts';
import { singletonErrors } from './singleton-requests.ts';
import type { WorkloadObjects } from './workload-objects.ts';

/**
 * The delay between a change and the reaction; the real one waits 2 s before it writes a Binding. The transport controller must
 * learn about clusters first.
 */
const reactions = { clusters: 1_000, others: 300 };

const pauses = { first: 200, last: 1_000 };

/** What a controller manager does first to the Bindings that exist, in milliseconds after its start. */
export interface StartOfBindings {
  /** When it writes all of them without objects; destinations stay. */
  emptiesAt: number;
  /** When it begins to write the whole lists. */
  fillsAt: number;
}

export interface BindingControllerParts {
  wds: Api;
  its: Api;
  workload: WorkloadObjects;
  signal: AbortSignal;
  log: (line: string) => void;
  /** Without it, Bindings stay as they are. */
  start?: StartOfBindings | undefined;
}

/**
 * Stands in for KubeStellar's binding controller (kubestellar pkg/binding) until the signal: for each BindingPolicy a Binding of
 * the same name, which lists the objects and their destinations. The Binding is deleted with its policy by garbage collection. A
 * Binding that the API server rejects is only in the log.
 */
export async function runBindingController(parts: BindingControllerParts): Promise<void> {
  new BindingController(parts);
  if (!parts.signal.aborted) await once(parts.signal, 'abort');
}

class BindingController {
  readonly #wds: Api;
  readonly #policies: Informer<BindingPolicy>;
  readonly #bindings: Informer<Binding>;
  readonly #clusters: Informer<ManagedCluster>;
  readonly #workload: WorkloadObjects;
  readonly #queue: WorkQueue;
  readonly #started: Promise<void>;

  constructor({ wds, its, workload, signal, log, start }: BindingControllerParts) {
    this.#wds = wds;
    this.#queue = new WorkQueue(
      (policy) => this.#sync(policy),
      signal,
      (policy, error) => log(`Failed to sync BindingPolicy name=${policy} err="${error.message}"`),
    );
    const wake = ({ metadata }: KubeObject) => this.#queue.addAfter(metadata.name, reactions.others);
    const wakeAllAfter = (reaction: number) => () => {
      for (const name of this.#policies.items.keys()) this.#queue.addAfter(name, reaction);
    };
    this.#policies = new Informer<BindingPolicy>(wds, bindingPolicies, { onChange: wake, pauses }, signal);
    this.#bindings = new Informer<Binding>(wds, bindings, { onChange: wake, pauses }, signal);
    const wakeAll = wakeAllAfter(reactions.clusters);
    this.#clusters = new Informer<ManagedCluster>(its, managedClusters, { onChange: wakeAll, pauses }, signal);
    this.#workload = workload;
    workload.onChange(wakeAllAfter(reactions.others));
    this.#started = start === undefined ? Promise.resolve() : this.#empty(start, signal).catch(() => {});
  }

  /** A new controller manager has not evaluated any object when it first writes Bindings (0.30.0, as recorded). */
  async #empty({ emptiesAt, fillsAt }: StartOfBindings, signal: AbortSignal): Promise<void> {
    await sleep(emptiesAt, undefined, { signal });
    await this.#bindings.synced;
    for (const name of this.#bindings.items.keys())
      await this.#wds.patch(bindings, name, { spec: { workload: { clusterScope: null, namespaceScope: null } } });
    await sleep(fillsAt - emptiesAt, undefined, { signal });
  }

  async #sync(name: string): Promise<void> {
    const sources = [this.#policies, this.#bindings, this.#clusters, this.#workload];
    await Promise.all(sources.map(({ synced }) => synced));
    await this.#started;
    const policy = this.#policies.items.get(name);
    if (!policy) return;
    try {
      if (policy.metadata.deletionTimestamp) await this.#release(policy);
      else await this.#bind(policy);
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
      this.#queue.addAfter(name, reactions.others);
    }
  }

  async #release({ metadata }: BindingPolicy): Promise<void> {
    const present = metadata.finalizers ?? [];
    if (!present.includes(finalizers.bindingPolicy)) return;
    const left = present.filter((finalizer) => finalizer !== finalizers.bindingPolicy);
    await this.#wds.patch(bindingPolicies, metadata.name, { metadata: { finalizers: left } });
  }

  async #bind(policy: BindingPolicy): Promise<void> {
    const { name, uid = '', finalizers: present = [] } = policy.metadata;
    if (!present.includes(finalizers.bindingPolicy)) {
      const all = [...present, finalizers.bindingPolicy];
      await this.#wds.patch(bindingPolicies, name, { metadata: { finalizers: all } });
    }
    const { apiVersion, kind } = bindingPolicies;
    const spec = this.#resolve(policy);
    const owner = { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: false };
    const found = this.#bindings.items.get(name);
    const isCurrent = isDeepStrictEqual(found?.spec, spec);
    // The owner is written with the spec only (0.30.0, pkg/binding/binding.go).
    const metadata = isCurrent ? { name } : { name, ownerReferences: [owner] };
    const wanted = { apiVersion: bindings.apiVersion, kind: bindings.kind, metadata };
    // Unwanted objects are deleted.
    const before = found && !isCurrent ? { ...found, spec: {} as Binding['spec'] } : found;
    // A Binding is created for a WEC or an object (0.30.0, seen live); one that loses its last stays.
    const bindsNothing = isDeepStrictEqual(spec, { workload: {} });
    const binding =
      found === undefined && bindsNothing
        ? { spec }
        : await applyOver<Binding>(this.#wds, bindings, before, { ...wanted, spec });
    await this.#report(policy, binding);
  }

  #resolve({ spec = {} }: BindingPolicy): Binding['spec'] {
    const { clusterSelectors = [], downsync = [] } = spec;
    const destinations = [...this.#clusters.items.values()]
      .filter(({ metadata }) => clusterSelectors.some((selector) => selects(selector, metadata.labels)))
      .map(({ metadata }) => ({ clusterId: metadata.name }))
      .sort((one, other) => (one.clusterId < other.clusterId ? -1 : 1));
    const bound: BoundObject[] = [];
    for (const { resource, object } of this.#workload) {
      const { namespace, name, resourceVersion = '' } = object.metadata;
      const modulation = modulationOf(downsync, { resource, object }, this.#workload.namespaceLabels(namespace));
      if (!modulation) continue;
      const [version = '', group = ''] = resource.apiVersion.split('/').reverse();
      const place = { group, version, resource: resource.plural, ...(namespace && { namespace }), name };
      bound.push({ ...place, resourceVersion, ...modulation });
    }
    bound.sort((one, other) => (sortKey(one) < sortKey(other) ? -1 : 1));
    const clusterScope = bound.filter(({ namespace }) => namespace === undefined);
    const namespaceScope = bound.filter(({ namespace }) => namespace !== undefined);
    return {
      workload: {
        ...(clusterScope.length > 0 && { clusterScope }),
        ...(namespaceScope.length > 0 && { namespaceScope }),
      },
      ...(destinations.length > 0 && { destinations }),
    };
  }

  /** A policy has the conditions and errors of its Binding, preceded by its own errors. */
  async #report(
    { metadata, status: before }: BindingPolicy,
    { spec, status }: Pick<Binding, 'spec' | 'status'>,
  ): Promise<void> {
    const { name, generation: observedGeneration = 0 } = metadata;
    const others = [...this.#bindings.items.values()].filter((other) => other.metadata.name !== name);
    const own = singletonErrors(
      spec,
      others.map((other) => other.spec),
      this.#workload,
    );
    const conditions = status?.conditions ?? null;
    const errors = [...own, ...(status?.errors ?? [])];
    const wanted = { observedGeneration, conditions, errors: errors.length > 0 ? errors : null };
    const present = { observedGeneration: before?.observedGeneration, conditions: null, errors: null, ...before };
    if (isDeepStrictEqual(present, wanted)) return;
    await this.#wds.patch(bindingPolicies, name, { status: wanted }, { subresource: 'status' });
  }
}

function sortKey({ group, version, resource, namespace = '', name }: BoundObject): string {
  return `${group}/${version}, Resource=${resource}\n${namespace}/${name}`;
}
