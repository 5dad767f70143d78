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
import { finalizers, generationAnnotation, propertyNamespace, workLabel, workOf } from './names.ts';
import { ClusterProperties } from './properties.ts';
import { customize } from './templates.ts';

/** From a change to what is done about it, in milliseconds; again after so long where a mailbox is not there yet. */
const reaction = 300;

const pauses = { first: 200, last: 1_000 };

/** Between two attempts to make the property namespace; the real one waits 10 s. */
const namespacePause = 2_000;

export interface TransportControllerParts {
  wds: Api;
  its: Api;
  wdsName: string;
  signal: AbortSignal;
  log: (line: string) => void;
}

/**
 * Plays KubeStellar's transport controller (kubestellar pkg/transport/generic, v0.30.0) until the signal: of each
 * Binding one work for each object in the mailbox of each destination. A deleted Binding is held until its works are
 * deleted, not until they are gone. Left out: CustomTransforms, several objects in one work.
 *
 * A template that cannot be expanded for one destination takes the works of all destinations away. A cluster that loses
 * a property together with the label that it is selected by does that to all others: its properties are looked at as
 * soon as it changes, when the Binding still names it, and the binding controller takes it out of the Binding later.
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
  readonly #bindings: Informer<Binding>;
  readonly #works: Informer<ManifestWork>;
  readonly #properties: ClusterProperties;
  readonly #queue: WorkQueue;

  constructor({ wds, its, wdsName, signal, log }: TransportControllerParts) {
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
  }

  async #sync(name: string): Promise<void> {
    await Promise.all([this.#bindings.synced, this.#works.synced, this.#properties.synced]);
    const binding = this.#bindings.items.get(name);
    if (!binding) return;
    try {
      if (binding.metadata.deletionTimestamp) await this.#release(binding);
      else await this.#propagate(binding);
    } catch (error) {
      // A cluster that is not accepted yet has no mailbox, and objects go while they are read.
      if (!isNotFound(error) && !isConflict(error)) throw error;
      this.#queue.addAfter(name, reaction);
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
    for (const work of this.#worksOf(binding)) await this.#remove(work);
    const left = present.filter((finalizer) => finalizer !== finalizers.binding);
    await this.#wds.patch(bindings, binding.metadata.name, { metadata: { finalizers: left } });
  }

  async #propagate(binding: Binding): Promise<void> {
    const { name, uid = '', generation = 0, finalizers: present = [] } = binding.metadata;
    if (!present.includes(finalizers.binding)) {
      await this.#wds.patch(bindings, name, { metadata: { finalizers: [...present, finalizers.binding] } });
    }
    const objects = await Promise.all(objectsOf(binding.spec).map((object) => this.#read(object)));
    const uids = objects.map(({ metadata }) => metadata.uid ?? '');
    const manifests = objects.map(manifestOf);
    const destinations = (binding.spec.destinations ?? []).map(({ clusterId }) => clusterId);
    const customized = customize(manifests, destinations, (destination) => this.#properties.of(destination));
    this.#properties.setDependence(name, customized.objects ? destinations : []);
    await this.#setStatus(binding, customized.errors);
    const stale = new Map(this.#worksOf(binding).map((work) => [keyOf(work), work]));
    const origin = { binding: { name, uid, generation }, wds: this.#wdsName };
    const failures: unknown[] = [];
    for (const destination of customized.errors.length > 0 ? [] : destinations) {
      for (const [index, manifest] of (customized.objects?.get(destination) ?? manifests).entries()) {
        const work = workOf(origin, destination, uids[index] ?? '', manifest);
        const before = stale.get(keyOf(work));
        stale.delete(keyOf(work));
        await this.#write(work, before).catch((error) => failures.push(error));
      }
    }
    for (const work of stale.values()) await this.#remove(work);
    if (failures.length > 0) throw failures[0];
  }

  async #setStatus({ metadata, status = {} }: Binding, errors: string[]): Promise<void> {
    const { name, generation: observedGeneration = 0 } = metadata;
    if (status.observedGeneration === observedGeneration && isDeepStrictEqual(status.errors ?? [], errors)) return;
    // Whatever conditions the status controller has set are gone then.
    const wanted = { observedGeneration, errors: errors.length > 0 ? errors : null, conditions: null };
    await this.#wds.patch(bindings, name, { status: wanted }, { subresource: 'status' });
  }

  async #read({ group, version, resource: plural, namespace, name }: BoundObject): Promise<AnyObject> {
    const resource = { apiVersion: group ? `${group}/${version}` : version, kind: '', plural };
    return this.#wds.get<AnyObject>(resource, namespace ? `${namespace}/${name}` : name);
  }

  /** createOrUpdateWrappedObject: what is there of this generation is left alone, what is updated keeps its finalizers. */
  async #write(work: ManifestWork, before: ManifestWork | undefined): Promise<void> {
    if (!before) {
      await this.#its.create<ManifestWork>(manifestWorks, work);
      return;
    }
    const { resourceVersion = '', finalizers: kept = [], annotations } = before.metadata;
    if (annotations?.[generationAnnotation] === work.metadata.annotations?.[generationAnnotation]) return;
    const metadata = { ...work.metadata, resourceVersion, finalizers: kept };
    await this.#its.update<ManifestWork>(manifestWorks, { ...work, metadata });
  }

  async #remove(work: ManifestWork): Promise<void> {
    if (!work.metadata.deletionTimestamp) await this.#its.delete(manifestWorks, keyOf(work));
  }
}

/** An object as it travels: without what its API server gave it. */
function manifestOf({ status: _, metadata, ...rest }: AnyObject): AnyObject {
  const { name, namespace, labels, annotations } = metadata;
  return {
    ...rest,
    metadata: {
      name,
      ...(namespace && { namespace }),
      ...(labels && { labels }),
      ...(annotations && { annotations }),
    },
  };
}
