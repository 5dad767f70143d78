import { keyOf } from '../kube/api.ts';
import { isNotFound } from '../kube/errors.ts';
import { Informer } from '../kube/informer.ts';
import type { AnyObject, KubeObject, ManagedCluster, ManifestWork } from '../kube/objects.ts';
import { managedClusterAddOns, managedClusters, manifestWorks } from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { addonNameLabel, addonNamespace, condition } from '../ocm/names.ts';
import type { Plane } from '../plane/plane.ts';

const addon = 'addon-status';

/** What an add-on with a pre-delete hook has (addon-framework pkg/agentdeploy); KubeStellar's has no hook. */
const preDelete = 'addon.open-cluster-management.io/addon-pre-delete';

export interface AddonOptions {
  /** As if the add-on had a pre-delete hook: its finalizer is there until its works are gone. The hook itself is left out. */
  hasFinalizer?: boolean;
  /** The clusters that get it, all by default. */
  clusters?: readonly string[];
}

/**
 * Plays the manager of KubeStellar's status add-on on a hub (addon-framework, as the status add-on uses it): a
 * ManagedClusterAddOn in the mailbox of every accepted cluster, and the ManifestWork that deploys its agent, which the
 * add-on owns. A deleted add-on takes its work along, and a cluster that is being deleted gets no new one.
 */
export class StatusAddon {
  readonly #plane: Plane;
  readonly #hasFinalizer: boolean;
  readonly #chosen: readonly string[] | undefined;
  readonly #clusters: Informer<ManagedCluster>;
  readonly #addons: Informer<KubeObject>;
  readonly #works: Informer<ManifestWork>;
  readonly #queue: WorkQueue;
  readonly #running = new AbortController();

  constructor(plane: Plane, { hasFinalizer = false, clusters }: AddonOptions = {}) {
    this.#plane = plane;
    this.#hasFinalizer = hasFinalizer;
    this.#chosen = clusters;
    const signal = AbortSignal.any([this.#running.signal, plane.gone]);
    this.#queue = new WorkQueue(
      (cluster) => this.#sync(cluster),
      signal,
      () => {},
    );
    const pauses = { first: 200, last: 1_000 };
    const wake = ({ metadata }: KubeObject) => this.#queue.add(metadata.namespace ?? metadata.name);
    const options = { onChange: wake, pauses };
    const labelSelector = `${addonNameLabel}=${addon}`;
    this.#clusters = new Informer<ManagedCluster>(plane.admin, managedClusters, options, signal);
    this.#addons = new Informer(plane.admin, managedClusterAddOns, options, signal);
    this.#works = new Informer<ManifestWork>(plane.admin, manifestWorks, { ...options, labelSelector }, signal);
  }

  stop(): void {
    this.#running.abort();
  }

  async #sync(cluster: string): Promise<void> {
    await Promise.all([this.#clusters.synced, this.#addons.synced, this.#works.synced]);
    const present = this.#addons.items.get(`${cluster}/${addon}`);
    const work = [...this.#works.items.values()].find(({ metadata }) => metadata.namespace === cluster);
    if (!present) {
      if (this.#isWanted(cluster)) await this.#create(cluster);
    } else if (present.metadata.deletionTimestamp) await this.#release(present, work);
    else if (!work) await this.#deploy(present);
  }

  #isWanted(name: string): boolean {
    if (this.#chosen && !this.#chosen.includes(name)) return false;
    const cluster = this.#clusters.items.get(name);
    const isAccepted = cluster?.status?.conditions?.some(
      ({ type, status }) => type === condition.hubAccepted && status === 'True',
    );
    return isAccepted === true && !cluster?.metadata.deletionTimestamp;
  }

  async #create(cluster: string): Promise<void> {
    const finalizers = this.#hasFinalizer ? [preDelete] : [];
    await this.#plane.admin.ensure<AnyObject>(managedClusterAddOns, {
      metadata: { name: addon, namespace: cluster, finalizers },
      spec: { installNamespace: addonNamespace },
    });
  }

  async #deploy({ metadata }: KubeObject): Promise<void> {
    const { apiVersion, kind } = managedClusterAddOns;
    const { name, namespace = '', uid = '' } = metadata;
    await this.#plane.admin.ensure<ManifestWork>(manifestWorks, {
      metadata: {
        name: `addon-${name}-deploy-0`,
        namespace,
        labels: { [addonNameLabel]: name },
        ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }],
      },
      spec: { workload: { manifests: agentManifests } },
    });
  }

  /** Garbage collection takes the work of an add-on without finalizer. */
  async #release(present: KubeObject, work: ManifestWork | undefined): Promise<void> {
    const { finalizers = [] } = present.metadata;
    if (!finalizers.includes(preDelete)) return;
    if (work) {
      await this.#plane.admin.delete(manifestWorks, keyOf(work));
      return;
    }
    const left = finalizers.filter((entry) => entry !== preDelete);
    await this.#plane.admin
      .patch(managedClusterAddOns, keyOf(present), { metadata: { finalizers: left } })
      .catch((error) => {
        if (!isNotFound(error)) throw error;
      });
  }
}

const labels = { app: 'status-agent' };

const agentManifests: AnyObject[] = [
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'status-agent', namespace: addonNamespace },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'status-agent', namespace: addonNamespace, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: 'status-agent',
          containers: [{ name: 'agent', image: 'ghcr.io/kubestellar/kubestellar/status-agent:0.30.0' }],
        },
      },
    },
  },
];
