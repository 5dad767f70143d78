import type { Api } from '../kube/api.ts';
import { isTrue } from '../kube/conditions.ts';
import { discover } from '../kube/discovery.ts';
import { Informer } from '../kube/informer.ts';
import type { Condition, KubeObject } from '../kube/objects.ts';
import { customResourceDefinitions, namespaces, type Resource } from '../kube/resources.ts';
import { untilAnswered } from '../kube/retry.ts';
import { groupOf, type WorkloadObject } from './matching.ts';

/** Groups that are not sent (kubestellar pkg/binding, v0.30.0). */
const excludedGroups = new Set([
  'flowcontrol.apiserver.k8s.io',
  'discovery.k8s.io',
  'apiregistration.k8s.io',
  'coordination.k8s.io',
  'control.kubestellar.io',
]);

/** Kinds that are not sent, by group and plural name. */
const excludedKinds = new Set([
  '/events',
  'events.k8s.io/events',
  '/nodes',
  '/endpoints',
  'storage.k8s.io/csistoragecapacities',
  'storage.k8s.io/csinodes',
]);

const pauses = { first: 200, last: 1_000 };

interface Definition extends KubeObject {
  spec: {
    group: string;
    names: { kind: string; plural: string };
    versions: { name: string; served: boolean }[];
  };
  status?: { conditions?: Condition[] };
}

/**
 * The objects of a WDS that a policy can select: those of all kinds that its API server serves, each in its preferred version, but
 * of CustomResourceDefinitions in every served version: there an object appears more than once.
 */
export class WorkloadObjects {
  /** After the first list of all initial kinds. */
  readonly synced: Promise<void>;
  readonly #wds: Api;
  readonly #allowedGroups: ReadonlySet<string> | undefined;
  readonly #listeners: ((workload?: WorkloadObject) => void)[] = [];
  readonly #signal: AbortSignal;
  readonly #kinds = new Map<string, { resource: Resource; objects: Informer<KubeObject>; life: AbortController }>();

  constructor(wds: Api, allowedGroups: ReadonlySet<string> | undefined, signal: AbortSignal) {
    this.#wds = wds;
    this.#allowedGroups = allowedGroups;
    this.#signal = signal;
    this.synced = this.#start();
  }

  /** A listener gets each object that is created, changed or deleted, and no object if a whole kind is removed. */
  onChange(listener: (workload?: WorkloadObject) => void): void {
    this.#listeners.push(listener);
  }

  *[Symbol.iterator](): Generator<WorkloadObject> {
    for (const { resource, objects } of this.#kinds.values())
      if (this.#isAllowed(resource)) for (const object of objects.items.values()) yield { resource, object };
  }

  find({ group, version, resource, namespace, name }: Place): WorkloadObject | undefined {
    const kind = this.#kinds.get(keyOf({ apiVersion: group ? `${group}/${version}` : version, plural: resource }));
    const object = kind?.objects.items.get(namespace ? `${namespace}/${name}` : name);
    return kind && object && { resource: kind.resource, object };
  }

  namespaceLabels(name: string | undefined): Record<string, string> | undefined {
    const all = this.#kinds.get(keyOf(namespaces))?.objects.items;
    return name === undefined ? undefined : all?.get(name)?.metadata.labels;
  }

  #isAllowed({ apiVersion }: Resource): boolean {
    return this.#allowedGroups?.has(groupOf(apiVersion)) ?? true;
  }

  async #start(): Promise<void> {
    const found = await untilAnswered(() => discover(this.#wds, ['list', 'watch']), this.#signal);
    for (const resource of found) this.#watch(resource);
    await Promise.all([...this.#kinds.values()].map(({ objects }) => objects.synced));
  }

  #watch(resource: Resource): void {
    const key = keyOf(resource);
    const group = groupOf(resource.apiVersion);
    const isExcluded = excludedGroups.has(group) || excludedKinds.has(`${group}/${resource.plural}`);
    // Namespaces must be known for their contents.
    const isKept = this.#isAllowed(resource) || key === keyOf(namespaces);
    if (isExcluded || !isKept || this.#kinds.has(key)) return;
    const life = new AbortController();
    const isDefinitions = resource.plural === customResourceDefinitions.plural;
    const onChange = (object: KubeObject, change: string) => {
      if (isDefinitions) this.#follow(object as Definition, change === 'deleted');
      for (const listener of this.#listeners) listener({ resource, object });
    };
    const signal = AbortSignal.any([this.#signal, life.signal]);
    this.#kinds.set(key, { resource, life, objects: new Informer(this.#wds, resource, { onChange, pauses }, signal) });
  }

  /** Follows the kinds that a CustomResourceDefinition defines. */
  #follow({ metadata, spec, status }: Definition, isDeleted: boolean): void {
    for (const { name, served } of spec.versions) {
      const { kind, plural } = spec.names;
      const resource = { apiVersion: `${spec.group}/${name}`, kind, plural };
      if (isDeleted || metadata.deletionTimestamp || !served) this.#forget(keyOf(resource));
      else if (isTrue(status?.conditions, 'Established')) this.#watch(resource);
    }
  }

  #forget(key: string): void {
    this.#kinds.get(key)?.life.abort();
    if (this.#kinds.delete(key)) for (const listener of this.#listeners) listener();
  }
}

/** The resource, namespace and name of an object of a WDS, as in Bindings and WorkStatuses. */
export interface Place {
  group: string;
  version: string;
  resource: string;
  namespace?: string;
  name: string;
}

function keyOf({ apiVersion, plural }: Pick<Resource, 'apiVersion' | 'plural'>): string {
  return `${apiVersion}/${plural}`;
}
