import { isDeepStrictEqual } from 'node:util';
import { type Api, keyOf } from '../kube/api.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { Informer } from '../kube/informer.ts';
import type { KubeObject } from '../kube/objects.ts';
import { bindings, combinedStatuses } from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { type Binding, type BoundObject, objectsOf } from './bindings.ts';
import { groupOf } from './matching.ts';
import type { StatusCollectors } from './status-collectors.ts';
import { combine, type NamedCombination } from './status-combination.ts';
import { placeKey, type WorkStatus, type WorkStatuses } from './work-statuses.ts';
import type { Place, WorkloadObjects } from './workload-objects.ts';

/** The time from a change to the CombinedStatus; the real one waits 5 s. */
const reaction = 1_000;

const pauses = { first: 200, last: 1_000 };

/** The namespace of CombinedStatuses of objects without one. */
export const reportNamespace = 'kubestellar-report';

const bindingLabel = 'status.kubestellar.io/binding-policy';

interface CombinedStatus extends KubeObject {
  results?: NamedCombination[];
}

export interface CombinedStatusParts {
  wds: Api;
  workload: WorkloadObjects;
  statuses: WorkStatuses;
  collectors: StatusCollectors;
  log: (line: string) => void;
}

/**
 * Stands in for the part of KubeStellar's status controller that creates CombinedStatuses: one for each object for which a policy
 * names StatusCollectors, owned by the object, with a result of each existing collector.
 */
export class CombinedStatuses {
  readonly #parts: CombinedStatusParts;
  readonly #bindings: Informer<Binding>;
  readonly #present: Informer<CombinedStatus>;
  readonly #queue: WorkQueue;

  constructor(parts: CombinedStatusParts, signal: AbortSignal) {
    const { wds, collectors, log } = parts;
    this.#parts = parts;
    this.#queue = new WorkQueue(
      (name) => this.#sync(name),
      signal,
      (name, { message }) => log(`failed to combine the status of Binding ${name}: ${message}`),
    );
    const onChange = ({ metadata }: Binding) => this.#queue.addAfter(metadata.name, reaction);
    this.#bindings = new Informer<Binding>(wds, bindings, { onChange, pauses }, signal);
    const wake = ({ metadata }: KubeObject) => this.#queue.addAfter(metadata.labels?.[bindingLabel] ?? '', reaction);
    this.#present = new Informer<CombinedStatus>(wds, combinedStatuses, { onChange: wake, pauses }, signal);
    collectors.onChange((name) => this.#wakeWhere((object) => object.statusCollectors?.includes(name) === true));
  }

  /** An object has another status somewhere. */
  note(place: Place): void {
    this.#wakeWhere((object) => object.statusCollectors !== undefined && placeKey(object) === placeKey(place));
  }

  #wakeWhere(isConcerned: (object: BoundObject) => boolean): void {
    for (const { metadata, spec } of this.#bindings.items.values())
      if (objectsOf(spec).some(isConcerned)) this.#queue.addAfter(metadata.name, reaction);
  }

  async #sync(name: string): Promise<void> {
    const { wds, workload, statuses, collectors } = this.#parts;
    const sources = [this.#bindings, this.#present, workload, statuses, collectors];
    await Promise.all(sources.map(({ synced }) => synced));
    const binding = this.#bindings.items.get(name);
    const wanted = binding && !binding.metadata.deletionTimestamp ? this.#combinations(binding) : [];
    const stale = new Map(
      [...this.#present.items].filter(([, { metadata }]) => metadata.labels?.[bindingLabel] === name),
    );
    for (const combination of wanted) {
      const key = keyOf(combination);
      const before = this.#present.items.get(key);
      stale.delete(key);
      await this.#write(name, combination, before);
    }
    for (const key of stale.keys()) await wds.delete(combinedStatuses, key);
  }

  async #write(binding: string, wanted: CombinedStatus, before: CombinedStatus | undefined): Promise<void> {
    const { wds } = this.#parts;
    const { labels } = wanted.metadata;
    const isSame = isDeepStrictEqual([before?.metadata.labels, before?.results], [labels, wanted.results]);
    if (before && isSame) return;
    const { resourceVersion } = before?.metadata ?? {};
    const object = { ...wanted, metadata: { ...wanted.metadata, ...(resourceVersion && { resourceVersion }) } };
    const written = before ? wds.update(combinedStatuses, object) : wds.create(combinedStatuses, object);
    await written.catch((error) => {
      if (!isConflict(error) && !isNotFound(error)) throw error;
      this.#queue.addAfter(binding, reaction);
    });
  }

  #combinations({ metadata, spec }: Binding): CombinedStatus[] {
    const policy = metadata.ownerReferences?.find(({ kind }) => kind === 'BindingPolicy');
    if (!policy) return [];
    const { workload, statuses, collectors } = this.#parts;
    const clusters = new Set((spec.destinations ?? []).map(({ clusterId }) => clusterId));
    return objectsOf(spec).flatMap((bound) => {
      const found = workload.find(bound);
      if (!bound.statusCollectors || !found) return [];
      const { resource, object } = found;
      const { uid = '', name, namespace } = object.metadata;
      const { apiVersion, kind } = resource;
      const contents = statuses
        .of(bound, clusters)
        .filter(({ status }) => status)
        .map((status) => ({ cluster: status.metadata.namespace ?? '', content: contentOf(status, object) }))
        .sort((one, other) => (one.cluster < other.cluster ? -1 : 1));
      const results = bound.statusCollectors.flatMap((collector) => {
        const rules = collectors.find(collector);
        return rules ? [combine(collector, rules, contents)] : [];
      });
      const labels = {
        'status.kubestellar.io/api-group': groupOf(apiVersion),
        'status.kubestellar.io/resource': resource.plural,
        'status.kubestellar.io/namespace': namespace ?? '',
        'status.kubestellar.io/name': name,
        [bindingLabel]: metadata.name,
      };
      const place = { name: `${uid}.${policy.uid}`, namespace: namespace ?? reportNamespace };
      return [{ metadata: { ...place, labels, ownerReferences: [{ apiVersion, kind, name, uid }] }, results }];
    });
  }
}

function contentOf({ metadata, status }: WorkStatus, obj: KubeObject) {
  const times = (metadata as { managedFields?: { time: string; fieldsV1?: object }[] }).managedFields ?? [];
  const last = times.filter(({ fieldsV1 = {} }) => 'f:status' in fieldsV1).map(({ time }) => time);
  return {
    obj,
    returned: { status },
    inventory: { name: metadata.namespace },
    propagation: { lastReturnedUpdateTimestamp: new Date(last.sort().at(-1) ?? 0) },
  };
}
