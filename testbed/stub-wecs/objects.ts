import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { type DeleteOptions, keyOf, type WatchEvent } from '../kube/api.ts';
import { now } from '../kube/conditions.ts';
import type { DiscoveredResource } from '../kube/discovery.ts';
import { ApiError } from '../kube/errors.ts';
import type { AnyObject } from '../kube/objects.ts';
import { customResourceDefinitions, namespaces, pods, type Resource } from '../kube/resources.ts';
import { builtIn } from './kinds.ts';

/** Whether an object is selected. */
export type Selects = (object: AnyObject) => boolean;

/** How many changes are kept: a watch that is further behind expires, as on a real API server after some minutes. */
const keptChanges = 200;

interface Change extends WatchEvent<AnyObject> {
  kind: DiscoveredResource;
}

interface Definition {
  group: string;
  scope: 'Cluster' | 'Namespaced';
  names: { kind: string; plural: string };
  versions: { name: string; served: boolean }[];
}

/**
 * The objects of one cluster, with the behavior of an API server and its controllers that a registration depends on:
 * UIDs, resourceVersions, generations, finalizers, owner references, namespace deletion, CustomResourceDefinitions.
 * Methods throw ApiError if they refuse a request. Objects are never changed in place.
 */
export class StubObjects {
  #kinds: DiscoveredResource[] = [...builtIn];
  readonly #objects = new Map<DiscoveredResource, Map<string, AnyObject>>();
  readonly #changed = new EventEmitter().setMaxListeners(0);
  #changes: Change[] = [];
  #version = 0;

  get kinds(): readonly DiscoveredResource[] {
    return this.#kinds;
  }

  /** The resourceVersion of the latest change. */
  get version(): string {
    return String(this.#version);
  }

  kindOf({ apiVersion, plural }: Pick<Resource, 'apiVersion' | 'plural'>): DiscoveredResource {
    const kind = this.#kinds.find(
      (each) => each.apiVersion === apiVersion && each.plural === plural,
    );
    if (!kind) throw unserved();
    return kind;
  }

  find(kind: DiscoveredResource, key: string): AnyObject | undefined {
    return this.#objects.get(kind)?.get(key);
  }

  get(kind: DiscoveredResource, key: string): AnyObject {
    const found = this.find(kind, key);
    if (!found)
      throw new ApiError(
        404,
        'NotFound',
        `${kind.plural} ${JSON.stringify(nameIn(key))} not found`,
      );
    return found;
  }

  /** The selected objects, sorted by name as in etcd. */
  list(kind: DiscoveredResource, selects: Selects): AnyObject[] {
    const selected = [...(this.#objects.get(kind)?.values() ?? [])].filter(selects);
    return selected.sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  }

  create(kind: DiscoveredResource, object: AnyObject): AnyObject {
    const { generateName, ...given } = object.metadata;
    const name = given.name ?? `${generateName}${randomUUID().slice(0, 5)}`;
    const metadata = { ...given, name, uid: randomUUID(), creationTimestamp: now(), generation: 1 };
    const made: AnyObject = { ...object, apiVersion: kind.apiVersion, kind: kind.kind, metadata };
    if (kind.namespaced) this.#requireNamespace(given.namespace ?? '');
    if (this.find(kind, keyOf(made)))
      throw new ApiError(
        409,
        'AlreadyExists',
        `${kind.plural} ${JSON.stringify(name)} already exists`,
      );
    if (kind.kind === namespaces.kind) made.status = { phase: 'Active' };
    if (kind.kind === customResourceDefinitions.kind)
      made.status = this.#serve(made.spec as Definition);
    return this.#store(kind, made, 'ADDED');
  }

  /** Replaces an object, or removes it if it is being deleted and has no finalizers left. */
  update(kind: DiscoveredResource, wanted: AnyObject): AnyObject {
    const present = this.get(kind, keyOf(wanted));
    const {
      uid,
      resourceVersion,
      creationTimestamp,
      deletionTimestamp,
      generation = 1,
    } = present.metadata;
    if (
      (wanted.metadata.uid ?? uid) !== uid ||
      (wanted.metadata.resourceVersion ?? resourceVersion) !== resourceVersion
    )
      throw new ApiError(
        409,
        'Conflict',
        'the object has been modified; please apply your changes to the latest version',
      );
    const kept = {
      uid,
      resourceVersion,
      creationTimestamp,
      ...(deletionTimestamp && { deletionTimestamp }),
    };
    const isSameSpec = isDeepStrictEqual(present.spec, wanted.spec);
    const metadata = {
      ...wanted.metadata,
      ...kept,
      generation: isSameSpec ? generation : generation + 1,
    };
    const next = { ...wanted, apiVersion: kind.apiVersion, kind: kind.kind, metadata } as AnyObject;
    if (isDeepStrictEqual(next, present)) return present;
    if (deletionTimestamp && !next.metadata.finalizers?.length) return this.#remove(kind, next);
    return this.#store(kind, next, 'MODIFIED');
  }

  delete(
    kind: DiscoveredResource,
    key: string,
    { preconditions, gracePeriodSeconds }: DeleteOptions = {},
  ): AnyObject {
    const present = this.get(kind, key);
    if (preconditions?.uid && preconditions.uid !== present.metadata.uid)
      throw new ApiError(
        409,
        'Conflict',
        'the UID in the precondition does not match the UID in record',
      );
    const isHeld = Boolean(present.metadata.finalizers?.length);
    // The kubelet removes a pod after its containers have stopped.
    const isRunning = kind.kind === pods.kind && gracePeriodSeconds !== 0;
    if (kind.kind === namespaces.kind) return this.#deleteNamespace(kind, present);
    if (!isHeld && !isRunning) return this.#remove(kind, present);
    return this.#mark(kind, present);
  }

  /** The changes of a kind after a resourceVersion, until the signal. */
  async *watch(
    kind: DiscoveredResource,
    since: string,
    selects: Selects,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<AnyObject>> {
    for (let seen = Number(since); !signal.aborted; ) {
      const missed = this.#version - seen;
      if (missed > this.#changes.length) {
        yield {
          type: 'ERROR',
          object: { code: 410, reason: 'Expired', message: 'too old resource version' } as never,
        };
        return;
      }
      const changes = missed === 0 ? [] : this.#changes.slice(-missed);
      seen = this.#version;
      for (const { kind: changed, type, object } of changes)
        if (changed === kind && selects(object)) yield { type, object };
      if (seen === this.#version) await once(this.#changed, 'change', { signal }).catch(() => {});
    }
  }

  #store(kind: DiscoveredResource, object: AnyObject, type: Change['type']): AnyObject {
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: this.version } };
    const own = this.#objects.get(kind) ?? new Map<string, AnyObject>();
    this.#objects.set(kind, own);
    if (type === 'DELETED') own.delete(keyOf(stored));
    else own.set(keyOf(stored), stored);
    this.#changes = [...this.#changes.slice(1 - keptChanges), { kind, type, object: stored }];
    this.#changed.emit('change');
    return stored;
  }

  #mark(kind: DiscoveredResource, present: AnyObject): AnyObject {
    if (present.metadata.deletionTimestamp) return present;
    return this.#store(
      kind,
      { ...present, metadata: { ...present.metadata, deletionTimestamp: now() } },
      'MODIFIED',
    );
  }

  /** Also deletes the objects that it owns, and its namespace if that is terminating and now empty. */
  #remove(kind: DiscoveredResource, object: AnyObject): AnyObject {
    const { uid, namespace } = object.metadata;
    const removed = this.#store(kind, object, 'DELETED');
    if (kind.kind === customResourceDefinitions.kind) this.#stopServing(object.spec as Definition);
    this.#deleteAll(
      ({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false,
    );
    const home =
      namespace === undefined ? undefined : this.find(this.kindOf(namespaces), namespace);
    if (home?.metadata.deletionTimestamp) this.#deleteNamespace(this.kindOf(namespaces), home);
    return removed;
  }

  #deleteNamespace(kind: DiscoveredResource, present: AnyObject): AnyObject {
    const isIn: Selects = ({ metadata }) => metadata.namespace === present.metadata.name;
    if (!present.metadata.deletionTimestamp) {
      this.#mark(kind, { ...present, status: { phase: 'Terminating' } });
      this.#deleteAll(isIn);
    }
    const last = this.find(kind, keyOf(present));
    return last && !this.#kinds.some((each) => this.list(each, isIn).length > 0)
      ? this.#remove(kind, last)
      : present;
  }

  #deleteAll(selects: Selects): void {
    for (const kind of this.#kinds)
      for (const object of this.list(kind, selects))
        if (this.find(kind, keyOf(object))) this.delete(kind, keyOf(object));
  }

  #requireNamespace(name: string): void {
    const { metadata } = this.get(this.kindOf(namespaces), name);
    if (metadata.deletionTimestamp)
      throw new ApiError(
        403,
        'Forbidden',
        `unable to create new content in namespace ${name} because it is being terminated`,
      );
  }

  /** @returns the status of an established CustomResourceDefinition */
  #serve({ group, scope, names, versions }: Definition): object {
    const served = versions
      .filter((version) => version.served)
      .map(({ name }) => `${group}/${name}`);
    const namespaced = scope === 'Namespaced';
    this.#kinds = [
      ...this.#kinds,
      ...served.map((apiVersion) => ({
        apiVersion,
        kind: names.kind,
        plural: names.plural,
        namespaced,
      })),
    ];
    const conditions = ['NamesAccepted', 'Established'].map((type) => ({
      type,
      status: 'True',
      reason: type,
    }));
    return { conditions };
  }

  #stopServing({ group, names }: Definition): void {
    const isGone = ({ apiVersion, plural }: Resource) =>
      plural === names.plural && apiVersion.startsWith(`${group}/`);
    for (const kind of this.#kinds.filter(isGone)) this.#objects.delete(kind);
    this.#kinds = this.#kinds.filter((kind) => !isGone(kind));
  }
}

/** The response of an API server to an unknown path: plain text, no Status object. */
export const unserved = (): ApiError => new ApiError(404, '', '404 page not found');

const nameIn = (key: string): string => key.split('/').at(-1) ?? '';
