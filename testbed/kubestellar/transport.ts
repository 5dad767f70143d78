import { randomUUID } from 'node:crypto';
import { keyOf } from '../kube/api.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { Informer } from '../kube/informer.ts';
import type { AnyObject, ManagedCluster, ManifestWork } from '../kube/objects.ts';
import { managedClusters, manifestWorks } from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import type { Plane } from '../plane/plane.ts';
import { isCurrent, workLabel, worksOf } from './wrapping.ts';

/** The transport's delay after a change of a cluster or a work, in milliseconds. */
const reaction = 1_000;

/** A BindingPolicy of a WDS, with the objects that it selects there. */
export interface Workload {
  policy: string;
  wds: string;
  /** Which clusters it selects; none of these means all of them. */
  matchLabels: Record<string, string>;
  manifests: readonly AnyObject[];
}

/**
 * Stands in for KubeStellar's binding and transport controllers for one BindingPolicy (kubestellar pkg/transport; names, labels and
 * annotation as recorded): one work per object in the mailbox of each cluster that the policy selects. A cluster that is being
 * deleted is still selected, and its works are recreated with new UIDs. When the selected clusters change, so does the Binding's
 * generation: then works of remaining clusters are rewritten as a whole, without the agent's finalizer, which the agent restores.
 * Templates are not expanded.
 */
export class Transport {
  readonly #plane: Plane;
  readonly #workload: Workload;
  readonly #binding = randomUUID();
  readonly #objects: Map<string, AnyObject>;
  readonly #clusters: Informer<ManagedCluster>;
  readonly #works: Informer<ManifestWork>;
  readonly #queue: WorkQueue;
  readonly #running = new AbortController();
  #destinations: string[] = [];
  #generation = 0;

  constructor(plane: Plane, workload: Workload) {
    this.#plane = plane;
    this.#workload = workload;
    // The objects of a WDS have UIDs there.
    this.#objects = new Map(workload.manifests.map((manifest) => [randomUUID(), manifest]));
    const signal = AbortSignal.any([this.#running.signal, plane.gone]);
    this.#queue = new WorkQueue(
      (what) => this.#sync(what),
      signal,
      () => {},
    );
    const wake = () => this.#queue.addAfter('works', reaction);
    const select = () => this.#queue.addAfter('destinations', reaction);
    const labelSelector = `${workLabel.binding}=${workload.policy},${workLabel.wds}=${workload.wds}`;
    const pauses = { first: 200, last: 1_000 };
    this.#clusters = new Informer(plane.admin, managedClusters, { onChange: select, pauses }, signal);
    this.#works = new Informer(plane.admin, manifestWorks, { labelSelector, onChange: wake, pauses }, signal);
  }

  stop(): void {
    this.#running.abort();
  }

  async #sync(what: string): Promise<void> {
    await Promise.all([this.#clusters.synced, this.#works.synced]);
    if (what === 'destinations' || this.#generation === 0) this.#select();
    const destinations = this.#destinations;
    const present = [...this.#works.items.values()];
    const failures: unknown[] = [];
    const attempt = (act: Promise<unknown>) => act.catch((error) => failures.push(error));
    for (const cluster of destinations) {
      for (const work of this.#worksFor(cluster)) {
        const before = present.find((each) => keyOf(each) === keyOf(work));
        await attempt(this.#write(work, before));
      }
    }
    for (const work of present) {
      const { namespace = '', deletionTimestamp } = work.metadata;
      if (destinations.includes(namespace) || deletionTimestamp) continue;
      await attempt(this.#plane.admin.delete(manifestWorks, keyOf(work)));
    }
    // A cluster that is not accepted yet has no mailbox.
    if (failures.some((error) => !isNotFound(error) && !isConflict(error))) throw failures[0];
    if (failures.length > 0) this.#queue.addAfter('works', reaction);
  }

  #select(): void {
    const selected = [...this.#clusters.items.values()].filter((cluster) => this.#selects(cluster));
    const destinations = selected.map(({ metadata }) => metadata.name).sort();
    if (this.#generation === 0 || destinations.join() !== this.#destinations.join()) this.#generation += 1;
    this.#destinations = destinations;
  }

  #selects({ metadata }: ManagedCluster): boolean {
    return Object.entries(this.#workload.matchLabels).every(([key, value]) => metadata.labels?.[key] === value);
  }

  /** createOrUpdateWrappedObject: an existing work of this generation stays unchanged. */
  async #write(work: ManifestWork, before: ManifestWork | undefined): Promise<void> {
    const { admin } = this.#plane;
    if (!before) {
      await admin.create<ManifestWork>(manifestWorks, work);
      return;
    }
    if (isCurrent(before, work)) return;
    const { resourceVersion = '' } = before.metadata;
    await admin.update<ManifestWork>(manifestWorks, { ...work, metadata: { ...work.metadata, resourceVersion } });
  }

  #worksFor(cluster: string): ManifestWork[] {
    const { policy, wds } = this.#workload;
    const binding = { name: policy, uid: this.#binding, generation: this.#generation };
    const wrapees = [...this.#objects].map(([uid, manifest]) => ({ uid, manifest }));
    return worksOf({ binding, wds }, cluster, wrapees);
  }
}
