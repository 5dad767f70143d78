import { isDeepStrictEqual } from 'node:util';
import type { Api } from '../kube/api.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { Informer } from '../kube/informer.ts';
import type { KubeObject } from '../kube/objects.ts';
import { bindings } from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { aggregate, type Status } from './aggregation.ts';
import { type Binding, objectsOf } from './bindings.ts';
import { groupOf } from './matching.ts';
import { placeKey, type WorkStatuses } from './work-statuses.ts';
import type { Place, WorkloadObjects } from './workload-objects.ts';

/** After a conflict; and between two writes of a status, which others may write as well. */
const retries = { conflict: 200, written: 2_000 };

const pauses = { first: 200, last: 1_000 };

const labels = {
  singleton: 'managed-by.kubestellar.io/singletonstatus',
  multi: 'managed-by.kubestellar.io/multiwecstatus',
} as const;

/** Kinds whose status is never that of another cluster. */
const ownKinds = new Set(['/Namespace', 'apiextensions.k8s.io/CustomResourceDefinition']);

/** Replaces a status that is not known yet. */
const notKnown = Symbol();

type Mode = keyof typeof labels;

export interface StatusReturnParts {
  wds: Api;
  workload: WorkloadObjects;
  statuses: WorkStatuses;
  log: (line: string) => void;
}

/**
 * Stands in for the part of KubeStellar's status controller that returns status: if a policy asks for it, an object of the WDS has
 * the status that it has on one cluster, or the combined one of several, and a label that says so (kubestellar pkg/status). A label
 * of the other kind is removed only when the status needs no write: if the WDS runs the workload as well, the two compete for the
 * status of several clusters, and both labels stay. Once none is requested, the status is emptied, and the labels are removed.
 */
export class StatusReturn {
  readonly #parts: StatusReturnParts;
  readonly #bindings: Informer<Binding>;
  readonly #queue: WorkQueue;
  readonly #places = new Map<string, Place>();
  /** When the status of an object was written last. */
  readonly #written = new Map<string, number>();

  constructor(parts: StatusReturnParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#queue = new WorkQueue(
      (key) => this.#sync(key),
      signal,
      (key, { message }) => parts.log(`failed to update status of ${key}: ${message}`),
    );
    const onChange = (binding: Binding, _change: string, before?: Binding) => {
      for (const object of [binding, ...(before ? [before] : [])].flatMap(({ spec }) => objectsOf(spec)))
        if (object.wantSingletonReportedState || object.wantMultiWECReportedState) this.note(object);
    };
    this.#bindings = new Informer<Binding>(parts.wds, bindings, { onChange, pauses }, signal);
    parts.workload.onChange((changed) => {
      if (changed?.object.metadata.labels?.[labels.singleton] === undefined) return;
      const { resource, object } = changed;
      const [version = '', group = ''] = resource.apiVersion.split('/').reverse();
      const { namespace, name } = object.metadata;
      this.note({ group, version, resource: resource.plural, ...(namespace && { namespace }), name });
    });
  }

  /** An object, its status on a cluster, or a request for status has changed. */
  note(place: Place): void {
    const key = placeKey(place);
    this.#places.set(key, place);
    const since = Date.now() - (this.#written.get(key) ?? 0);
    this.#queue.addAfter(key, Math.max(0, retries.written - since));
  }

  async #sync(key: string): Promise<void> {
    const { workload, statuses } = this.#parts;
    await Promise.all([this.#bindings, workload, statuses].map(({ synced }) => synced));
    const place = this.#places.get(key);
    if (!place) return;
    const { mode, status } = this.#wanted(place);
    if (status === notKnown) return;
    try {
      if (!(await this.#write(place, mode, status))) return;
      this.#written.set(key, Date.now());
      this.note(place);
    } catch (error) {
      if (isConflict(error)) this.#queue.addAfter(key, retries.conflict);
      else if (!isNotFound(error)) throw error;
    }
  }

  /** The status that an object should have; undefined if none is returned, or if it is not known yet. */
  #wanted(place: Place): { mode: Mode; status: Status | typeof notKnown | undefined } {
    const single = this.#clustersOf(place, 'wantSingletonReportedState');
    const multi = this.#clustersOf(place, 'wantMultiWECReportedState');
    const all = new Set([...(single ?? []), ...(multi ?? [])]);
    const clusters = single && multi ? all : (multi ?? single);
    if (!clusters || clusters.size === 0 || (clusters.size > 1 && !multi))
      return { mode: 'singleton', status: undefined };
    const found = this.#parts.statuses.of(place, clusters);
    if (clusters.size === 1) {
      const status = found.length === 1 ? (found[0]?.status ?? notKnown) : undefined;
      return { mode: 'singleton', status };
    }
    const known = found.map(({ status }) => status).filter((status) => status !== undefined);
    if (known.length <= 1) return { mode: known.length === 1 ? 'singleton' : 'multi', status: known[0] };
    const kind = this.#parts.workload.find(place)?.resource.kind ?? '';
    return { mode: 'multi', status: aggregate(`${place.group}/${kind}`, known) ?? notKnown };
  }

  /** The clusters of all policies that request this of an object, or undefined if none does. */
  #clustersOf(place: Place, request: 'wantSingletonReportedState' | 'wantMultiWECReportedState') {
    const asking = [...this.#bindings.items.values()].filter(
      ({ metadata, spec }) =>
        metadata.ownerReferences?.length &&
        !metadata.deletionTimestamp &&
        objectsOf(spec).some((object) => object[request] && placeKey(object) === placeKey(place)),
    );
    if (asking.length === 0) return undefined;
    return new Set(asking.flatMap(({ spec }) => (spec.destinations ?? []).map(({ clusterId }) => clusterId)));
  }

  /** Whether there was anything to write. */
  async #write(place: Place, mode: Mode, status: Status | undefined): Promise<boolean> {
    const { wds, workload } = this.#parts;
    const { resource, object } = workload.find(place) ?? {};
    if (!resource || !object || ownKinds.has(`${groupOf(resource.apiVersion)}/${resource.kind}`)) return false;
    const present = object.metadata.labels ?? {};
    const isReturned = Object.values(labels).some((label) => label in present);
    if (!status && !isReturned) return false;
    const key = place.namespace ? `${place.namespace}/${place.name}` : place.name;
    const label = (name: string, value: string | null) =>
      wds.patch(resource, key, { metadata: { labels: { [name]: value } } });
    const wanted = status && labels[mode];
    if (wanted && !(wanted in present)) await label(wanted, 'true');
    const before = (object as KubeObject & { status?: Status }).status;
    if (!isDeepStrictEqual(before ?? {}, status ?? {})) {
      const latest = await wds.get<KubeObject>(resource, key);
      const changed = { ...latest, status: status ?? {} } as KubeObject;
      await wds.update(resource, changed, 'status').catch(async (error) => {
        if (!isNotFound(error)) throw error;
        // Its kind has no status subresource.
        await wds.update(resource, changed);
      });
      if (status) return true;
    }
    for (const name of Object.values(labels)) if (name in present && name !== wanted) await label(name, null);
    return false;
  }
}
