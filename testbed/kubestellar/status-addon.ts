import { type Api, keyOf } from '../kube/api.ts';
import { withCondition } from '../kube/conditions.ts';
import { isNotFound } from '../kube/errors.ts';
import { Informer } from '../kube/informer.ts';
import type { AnyObject, Condition, KubeObject, ManagedCluster, ManifestWork } from '../kube/objects.ts';
import { managedClusterAddOns, managedClusters, manifestWorks } from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { addonNameLabel, addonNamespace, condition } from '../ocm/names.ts';
import { approveAddonRequests, offerRegistration } from './addon-registration.ts';
import { addonName as addon, agentManifests } from './status-addon-chart.ts';

/** What an add-on with a pre-delete hook has (addon-framework pkg/agentdeploy); KubeStellar's has no hook. */
const preDelete = 'addon.open-cluster-management.io/addon-pre-delete';

type Addon = KubeObject & { status?: { conditions?: Condition[]; registrations?: unknown } };

/** The evidence for the add-on's health (ocm-status-addon pkg/controller/manager.go). */
const probed = { group: 'apps', resource: 'deployments', namespace: addonNamespace, name: 'status-agent' };

/** Reasons and messages of addon-framework's probes of works (pkg/addonmanager/controllers/agentdeploy). */
function healthOf({ status }: ManifestWork): Condition {
  const type = 'Available';
  const { values } =
    status?.resourceStatus?.manifests?.find(
      ({ resourceMeta: { resource, name } }) => resource === probed.resource && name === probed.name,
    )?.statusFeedback ?? {};
  if (!values) return { type, status: 'Unknown', reason: 'NoProbeResult', message: 'Probe results are not returned' };
  const ready = values.find(({ name }) => name === 'ReadyReplicas')?.fieldValue.integer;
  if (ready) return { type, status: 'True', reason: 'ProbeAvailable', message: `${addon} add-on is available.` };
  const why = 'readyReplica is not probed';
  return { type, status: 'False', reason: 'ProbeUnavailable', message: `Probe addon unavailable with err ${why}` };
}

export interface AddonOptions {
  /** As if the add-on had a pre-delete hook: its finalizer stays until its works are deleted. The hook itself is left out. */
  hasFinalizer?: boolean;
  /**
   * The clusters that get it, all by default; false leaves it to the hub's add-on manager, which installs it according to a
   * Placement.
   */
  clusters?: readonly string[] | false;
  /** The image of the agent that it deploys. */
  agentImage?: string | undefined;
}

/**
 * Stands in for the manager of KubeStellar's status add-on on a hub (addon-framework, as the status add-on uses it): a ManifestWork
 * that deploys its agent for every ManagedClusterAddOn, which owns it, and the agent's registration, which it approves. A deleted
 * add-on deletes its work.
 * It also enables the add-on, unless that is left to the add-on manager, on every accepted cluster that is not being deleted.
 */
export class StatusAddon {
  readonly #api: Api;
  readonly #hasFinalizer: boolean;
  readonly #agentImage: string | undefined;
  readonly #chosen: AddonOptions['clusters'];
  readonly #clusters: Informer<ManagedCluster>;
  readonly #addons: Informer<Addon>;
  readonly #works: Informer<ManifestWork>;
  readonly #queue: WorkQueue;

  constructor(hub: Api, { hasFinalizer = false, clusters, agentImage }: AddonOptions, signal: AbortSignal) {
    this.#api = hub;
    this.#agentImage = agentImage;
    this.#hasFinalizer = hasFinalizer;
    this.#chosen = clusters;
    this.#queue = new WorkQueue(
      (cluster) => this.#sync(cluster),
      signal,
      () => {},
    );
    const pauses = { first: 200, last: 1_000 };
    const wake = ({ metadata }: KubeObject) => this.#queue.add(metadata.namespace ?? metadata.name);
    const options = { onChange: wake, pauses };
    const labelSelector = `${addonNameLabel}=${addon}`;
    this.#clusters = new Informer<ManagedCluster>(hub, managedClusters, options, signal);
    this.#addons = new Informer(hub, managedClusterAddOns, options, signal);
    this.#works = new Informer<ManifestWork>(hub, manifestWorks, { ...options, labelSelector }, signal);
    approveAddonRequests(hub, signal);
  }

  async #sync(cluster: string): Promise<void> {
    await Promise.all([this.#clusters.synced, this.#addons.synced, this.#works.synced]);
    const present = this.#addons.items.get(`${cluster}/${addon}`);
    const work = [...this.#works.items.values()].find(({ metadata }) => metadata.namespace === cluster);
    if (!present) {
      if (this.#isWanted(cluster)) await this.#create(cluster);
    } else if (present.metadata.deletionTimestamp) await this.#release(present, work);
    else {
      await offerRegistration(this.#api, cluster, present.status);
      if (!work) await this.#deploy(present);
      else await this.#report(present, work);
    }
  }

  #isWanted(name: string): boolean {
    if (this.#chosen === false || (this.#chosen && !this.#chosen.includes(name))) return false;
    const cluster = this.#clusters.items.get(name);
    const isAccepted = cluster?.status?.conditions?.some(
      ({ type, status }) => type === condition.hubAccepted && status === 'True',
    );
    return isAccepted === true && !cluster?.metadata.deletionTimestamp;
  }

  async #create(cluster: string): Promise<void> {
    const finalizers = this.#hasFinalizer ? [preDelete] : [];
    await this.#api.ensure<AnyObject>(managedClusterAddOns, {
      metadata: { name: addon, namespace: cluster, finalizers },
      spec: { installNamespace: addonNamespace },
    });
  }

  async #deploy({ metadata }: KubeObject): Promise<void> {
    const { apiVersion, kind } = managedClusterAddOns;
    const { name, namespace = '', uid = '' } = metadata;
    await this.#api.ensure<ManifestWork>(manifestWorks, {
      metadata: {
        name: `addon-${name}-deploy-0`,
        namespace,
        labels: { [addonNameLabel]: name },
        ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }],
      },
      spec: {
        workload: { manifests: agentManifests(namespace, this.#agentImage) },
        manifestConfigs: [{ resourceIdentifier: probed, feedbackRules: [{ type: 'WellKnownStatus' }] }],
      },
    });
  }

  /** Reports whether the agent runs, as far as the work's feedback shows. */
  async #report({ metadata, status }: Addon, work: ManifestWork): Promise<void> {
    const present = status?.conditions ?? [];
    const conditions = withCondition(present, healthOf(work));
    if (conditions === present) return;
    const body = { status: { conditions, healthCheck: { mode: 'Customized' } } };
    await this.#api.patch(managedClusterAddOns, `${metadata.namespace}/${addon}`, body, { subresource: 'status' });
  }

  /** Garbage collection deletes the work of an add-on without finalizer. */
  async #release(present: KubeObject, work: ManifestWork | undefined): Promise<void> {
    const { finalizers = [] } = present.metadata;
    if (!finalizers.includes(preDelete)) return;
    if (work) {
      await this.#api.delete(manifestWorks, keyOf(work));
      return;
    }
    const left = finalizers.filter((entry) => entry !== preDelete);
    await this.#api.patch(managedClusterAddOns, keyOf(present), { metadata: { finalizers: left } }).catch((error) => {
      if (!isNotFound(error)) throw error;
    });
  }
}
