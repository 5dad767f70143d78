import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import type { Api } from '../kube/api.ts';
import { applyOver } from '../kube/apply.ts';
import { withCondition } from '../kube/conditions.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { Informer } from '../kube/informer.ts';
import { selects } from '../kube/label-selector.ts';
import type { KubeObject, ManagedCluster } from '../kube/objects.ts';
import {
  bindingPolicies,
  bindings,
  clusterRoleBindings,
  clusterRoles,
  configMaps,
  customResourceDefinitions,
  deployments,
  jobs,
  managedClusters,
  namespaces,
  pods,
  type Resource,
  replicaSets,
  roleBindings,
  roles,
  secrets,
  serviceAccounts,
  services,
  statefulSets,
} from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import type { Binding, BindingPolicy, BoundObject } from './bindings.ts';
import { groupOf, modulationOf, type WorkloadObject } from './matching.ts';
import { finalizers } from './names.ts';

/** The kinds of workloads that are looked at; the real controller looks at all but a few. */
const workloadKinds: readonly Resource[] = [
  namespaces,
  configMaps,
  pods,
  secrets,
  serviceAccounts,
  services,
  deployments,
  replicaSets,
  statefulSets,
  jobs,
  roles,
  roleBindings,
  clusterRoles,
  clusterRoleBindings,
  customResourceDefinitions,
];

/**
 * From a change to what is done about it; the real one waits 2 s before it writes a Binding. Of clusters the transport
 * controller has to know first.
 */
const reactions = { clusters: 1_000, others: 300 };

const pauses = { first: 200, last: 1_000 };

export interface BindingControllerParts {
  wds: Api;
  its: Api;
  /** The API groups of workloads, all without any. */
  allowedGroups: ReadonlySet<string> | undefined;
  signal: AbortSignal;
  log: (line: string) => void;
}

/**
 * Plays KubeStellar's binding controller (kubestellar pkg/binding) until the signal: of each BindingPolicy a Binding of
 * the same name, which says what is to go where. The Binding goes with its policy by garbage collection.
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
  readonly #workloads: { resource: Resource; objects: Informer<KubeObject> }[];
  readonly #queue: WorkQueue;

  constructor({ wds, its, allowedGroups, signal, log }: BindingControllerParts) {
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
    const onChange = wakeAllAfter(reactions.others);
    this.#workloads = workloadKinds
      .filter(({ apiVersion }) => allowedGroups?.has(groupOf(apiVersion)) ?? true)
      .map((resource) => ({ resource, objects: new Informer(wds, resource, { onChange, pauses }, signal) }));
  }

  async #sync(name: string): Promise<void> {
    const informers = [
      this.#policies,
      this.#bindings,
      this.#clusters,
      ...this.#workloads.map(({ objects }) => objects),
    ];
    await Promise.all(informers.map(({ synced }) => synced));
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
    const { name, uid = '', generation = 0, finalizers: present = [] } = policy.metadata;
    if (!present.includes(finalizers.bindingPolicy)) {
      const all = [...present, finalizers.bindingPolicy];
      await this.#wds.patch(bindingPolicies, name, { metadata: { finalizers: all } });
    }
    const { apiVersion, kind } = bindingPolicies;
    const spec = this.#resolve(policy);
    const binding = await applyOver<Binding>(this.#wds, bindings, this.#bindings.items.get(name), {
      apiVersion: bindings.apiVersion,
      kind: bindings.kind,
      metadata: {
        name,
        ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: false }],
      },
      spec,
    });
    await this.#setStatus(bindings, binding, {});
    const errors = binding.status?.errors ?? [];
    await this.#setStatus(bindingPolicies, policy, { observedGeneration: generation, errors });
  }

  #resolve({ spec = {} }: BindingPolicy): Binding['spec'] {
    const { clusterSelectors = [], downsync = [] } = spec;
    const destinations = [...this.#clusters.items.values()]
      .filter(({ metadata }) => clusterSelectors.some((selector) => selects(selector, metadata.labels)))
      .map(({ metadata }) => ({ clusterId: metadata.name }));
    const bound: BoundObject[] = [];
    for (const workload of this.#objects()) {
      const { resource, object } = workload;
      const { namespace, name, resourceVersion = '' } = object.metadata;
      const modulation = modulationOf(downsync, workload, this.#namespaceLabels(namespace));
      if (!modulation) continue;
      const [version = '', group = ''] = resource.apiVersion.split('/').reverse();
      const place = { group, version, resource: resource.plural, ...(namespace && { namespace }), name };
      bound.push({ ...place, resourceVersion, ...modulation });
    }
    return {
      workload: {
        clusterScope: bound.filter(({ namespace }) => namespace === undefined),
        namespaceScope: bound.filter(({ namespace }) => namespace !== undefined),
      },
      destinations,
    };
  }

  *#objects(): Generator<WorkloadObject> {
    for (const { resource, objects } of this.#workloads) {
      for (const object of objects.items.values()) {
        if (!object.metadata.deletionTimestamp) yield { resource, object };
      }
    }
  }

  #namespaceLabels(namespace: string | undefined): Record<string, string> | undefined {
    const all = this.#workloads.find(({ resource }) => resource === namespaces)?.objects.items;
    return namespace === undefined ? undefined : all?.get(namespace)?.metadata.labels;
  }

  /**
   * The one condition that KubeStellar sets, and on policies the errors of their Bindings. StatusCollectors are not
   * looked at: all are taken to be there.
   */
  async #setStatus(
    resource: Resource,
    { metadata, status = {} }: Binding | BindingPolicy,
    more: { observedGeneration?: number; errors?: string[] },
  ): Promise<void> {
    const conditions = withCondition(status.conditions ?? [], {
      type: 'StatusCollectorsAvailable',
      status: 'True',
      reason: 'ReconcileSuccess',
      message: 'All StatusCollector(s) are available',
    });
    const isSame =
      conditions === status.conditions &&
      (more.observedGeneration ?? status.observedGeneration) === status.observedGeneration &&
      isDeepStrictEqual(more.errors ?? status.errors ?? [], status.errors ?? []);
    if (isSame) return;
    const errors = more.errors && { errors: more.errors.length > 0 ? more.errors : null };
    const body = { status: { ...more, ...errors, conditions } };
    await this.#wds.patch(resource, metadata.name, body, { subresource: 'status' });
  }
}
