import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Api, keyOf } from '../kube/api.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { Informer } from '../kube/informer.ts';
import type { AnyObject, KubeObject, ManifestWork } from '../kube/objects.ts';
import { bindings, manifestWorks, namespaces } from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { type Binding, type BoundObject, objectsOf } from './bindings.ts';
import { CustomTransforms } from './custom-transforms.ts';
import type { FieldPath } from './json-path.ts';
import { manifestOf } from './manifests.ts';
import { finalizers, propertyNamespace, workLabel } from './names.ts';
import { ClusterProperties } from './properties.ts';
import { customize } from './templates.ts';
import { chartLimits, isCurrent, type Wrapee, type WrapLimits, worksOf } from './wrapping.ts';

/** The delay between a change and the reaction, in milliseconds. */
const reaction = 300;

/** How long it waits for a missing mailbox; the real one waits a little at first, later much longer. */
const mailboxPause = 1_000;

const pauses = { first: 200, last: 1_000 };

/** Between two attempts to create the property namespace; the real one waits 10 s. */
const namespacePause = 2_000;

export interface TransportControllerParts {
  wds: Api;
  its: Api;
  wdsName: string;
  limits?: WrapLimits;
  signal: AbortSignal;
  log: (line: string) => void;
}

/**
 * Stands in for KubeStellar's transport controller (kubestellar pkg/transport/generic, v0.30.0) until the signal: for each Binding
 * one work per object in the mailbox of each destination. A deleted Binding keeps its finalizer until its works are being deleted,
 * not until they no longer exist. An object that cannot be read or is too large blocks a whole Binding, and is only in the log: the
 * Binding's generation is then not observed. Works of its generation stay unchanged, whatever happens to transforms and properties.
 *
 * A template that cannot be expanded for one destination removes the works of all destinations. A cluster that loses a property
 * together with the label that selects it does that to all others: its properties are read as soon as it changes, when the Binding
 * still names it, and the binding controller removes it from the Binding later.
 */
export async function runTransportController(parts: TransportControllerParts): Promise<void> {
  void ensurePropertyNamespace(parts);
  new TransportController(parts);
  if (!parts.signal.aborted) await once(parts.signal, 'abort');
}

async function ensurePropertyNamespace({ its, signal, log }: TransportControllerParts): Promise<void> {
  for (; !signal.aborted; await sleep(namespacePause)) {
    try {
      return await its.ensure(namespaces, { metadata: { name: propertyNamespace } });
    } catch (error) {
      log(`Failed to create property namespace err="${(error as Error).message}"`);
    }
  }
}

class TransportController {
  readonly #wds: Api;
  readonly #its: Api;
  readonly #wdsName: string;
  readonly #limits: WrapLimits;
  readonly #bindings: Informer<Binding>;
  readonly #works: Informer<ManifestWork>;
  readonly #properties: ClusterProperties;
  readonly #transforms: CustomTransforms;
  readonly #queue: WorkQueue;

  constructor({ wds, its, wdsName, limits = chartLimits, signal, log }: TransportControllerParts) {
    this.#limits = limits;
    this.#wds = wds;
    this.#its = its;
    this.#wdsName = wdsName;
    this.#queue = new WorkQueue(
      (binding) => this.#sync(binding),
      signal,
      (binding, error) => log(`failed to sync Binding ${binding}: ${error.message}`),
    );
    const onChange = ({ metadata }: KubeObject) => this.#queue.addAfter(metadata.name, reaction);
    this.#bindings = new Informer<Binding>(wds, bindings, { onChange, pauses }, signal);
    const labelSelector = `${workLabel.wds}=${wdsName}`;
    const wake = ({ metadata }: KubeObject) =>
      this.#queue.addAfter(metadata.labels?.[workLabel.binding] ?? '', reaction);
    this.#works = new Informer<ManifestWork>(its, manifestWorks, { onChange: wake, labelSelector, pauses }, signal);
    this.#properties = new ClusterProperties(its, (binding) => this.#queue.add(binding), signal);
    const wakeUsers = (kind: string) => {
      for (const { metadata, spec } of this.#bindings.items.values())
        if (objectsOf(spec).some((object) => kindOf(object) === kind)) this.#queue.addAfter(metadata.name, reaction);
    };
    this.#transforms = new CustomTransforms(wds, wakeUsers, signal);
  }

  async #sync(name: string): Promise<void> {
    const sources = [this.#bindings, this.#works, this.#properties, this.#transforms];
    await Promise.all(sources.map(({ synced }) => synced));
    const binding = this.#bindings.items.get(name);
    if (!binding) return;
    try {
      if (binding.metadata.deletionTimestamp) await this.#release(binding);
      else await this.#propagate(binding);
    } catch (error) {
      // A cluster that is not accepted yet has no mailbox, and works are deleted while they are written.
      if (!isNotFound(error) && !isConflict(error)) throw error;
      this.#queue.addAfter(name, isConflict(error) ? reaction : mailboxPause);
    }
  }

  #worksOf({ metadata }: Binding): ManifestWork[] {
    return [...this.#works.items.values()].filter(
      (work) => work.metadata.labels?.[workLabel.binding] === metadata.name,
    );
  }

  async #release(binding: Binding): Promise<void> {
    const present = binding.metadata.finalizers ?? [];
    if (!present.includes(finalizers.binding)) return;
    // Those of a destination that the Binding has lost unseen stay permanently.
    const destinations = new Set((binding.spec.destinations ?? []).map(({ clusterId }) => clusterId));
    for (const work of this.#worksOf(binding))
      if (destinations.has(work.metadata.namespace ?? '')) await this.#remove(work);
    const left = present.filter((finalizer) => finalizer !== finalizers.binding);
    await this.#wds.patch(bindings, binding.metadata.name, { metadata: { finalizers: left } });
  }

  async #propagate(binding: Binding): Promise<void> {
    const { name, uid = '', generation = 0, finalizers: present = [] } = binding.metadata;
    if (!present.includes(finalizers.binding)) {
      await this.#wds.patch(bindings, name, { metadata: { finalizers: [...present, finalizers.binding] } });
    }
    if (name.length > 63) throw new Error(`failed to get current wrapped objects that are owned by Binding '${name}'`);
    const wrapees: Wrapee[] = [];
    const removals = new Map<string, FieldPath[]>();
    for (const object of objectsOf(binding.spec)) {
      const kind = kindOf(object);
      const paths = removals.get(kind) ?? (await this.#transforms.removals(kind));
      removals.set(kind, paths);
      wrapees.push(await this.#read(object, paths));
    }
    const manifests = wrapees.map(({ manifest }) => manifest);
    const destinations = (binding.spec.destinations ?? []).map(({ clusterId }) => clusterId);
    const customized = customize(manifests, destinations, (destination) => this.#properties.of(destination));
    this.#properties.setDependence(name, customized.objects ? destinations : []);
    const origin = { binding: { name, uid, generation }, wds: this.#wdsName };
    const wanted = destinations.flatMap((destination) => {
      const expanded = customized.objects?.get(destination);
      const own = wrapees.map((wrapee, index) => ({ ...wrapee, manifest: expanded?.[index] ?? wrapee.manifest }));
      return worksOf(origin, destination, own, this.#limits);
    });
    await this.#setStatus(binding, customized.errors);
    await this.#replace(this.#worksOf(binding), customized.errors.length > 0 ? [] : wanted);
  }

  /**
   * Writes wanted works, one destination after the other, and then deletes the rest. The first failure, for example a missing
   * mailbox, blocks everything after it.
   */
  async #replace(present: readonly ManifestWork[], wanted: readonly ManifestWork[]): Promise<void> {
    const stale = new Map(present.map((work) => [keyOf(work), work]));
    for (const work of wanted) {
      const before = stale.get(keyOf(work));
      stale.delete(keyOf(work));
      await this.#write(work, before);
    }
    for (const work of stale.values()) await this.#remove(work);
  }

  async #setStatus({ metadata, status = {} }: Binding, errors: string[]): Promise<void> {
    const { name, generation: observedGeneration = 0 } = metadata;
    if (status.observedGeneration === observedGeneration && isDeepStrictEqual(status.errors ?? [], errors)) return;
    // Conditions set by the status controller are then lost.
    const wanted = { observedGeneration, errors: errors.length > 0 ? errors : null, conditions: null };
    await this.#wds.patch(bindings, name, { status: wanted }, { subresource: 'status' });
  }

  async #read(place: BoundObject, removals: readonly FieldPath[]): Promise<Wrapee> {
    const { group, version, resource: plural, namespace, name, createOnly } = place;
    const resource = { apiVersion: group ? `${group}/${version}` : version, kind: '', plural };
    const key = namespace ? `${namespace}/${name}` : name;
    const object = await this.#wds.get<AnyObject>(resource, key).catch(({ message }: Error) => {
      throw new Error(`failed to get required object '${key}' from WDS - ${message}`);
    });
    const manifest = manifestOf(object, removals);
    return { uid: object.metadata.uid ?? '', manifest, createOnly: createOnly ? plural : undefined };
  }

  /** createOrUpdateWrappedObject: an existing work of this generation stays unchanged; an updated one keeps its finalizers. */
  async #write(work: ManifestWork, before: ManifestWork | undefined): Promise<void> {
    if (!before) {
      await this.#its.create<ManifestWork>(manifestWorks, work);
      return;
    }
    if (isCurrent(before, work)) return;
    const { resourceVersion = '', finalizers: kept = [] } = before.metadata;
    const metadata = { ...work.metadata, resourceVersion, finalizers: kept };
    await this.#its.update<ManifestWork>(manifestWorks, { ...work, metadata });
  }

  async #remove(work: ManifestWork): Promise<void> {
    if (!work.metadata.deletionTimestamp) await this.#its.delete(manifestWorks, keyOf(work));
  }
}

/** `group/plural` */
function kindOf({ group, resource }: BoundObject): string {
  return `${group}/${resource}`;
}
