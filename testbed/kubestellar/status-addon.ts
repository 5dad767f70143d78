import type { Api } from '../kube/api.ts';
import { withCondition } from '../kube/conditions.ts';
import { Informer } from '../kube/informer.ts';
import type { Condition, KubeObject, ManifestWork } from '../kube/objects.ts';
import { managedClusterAddOns, manifestWorks } from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { addonNameLabel, addonNamespace } from '../ocm/names.ts';
import { approveAddonRequests, offerRegistration } from './addon-registration.ts';
import { addonName as addon, agentManifests } from './status-addon-chart.ts';

type Addon = KubeObject & { status?: { conditions?: Condition[]; registrations?: unknown } };

/** The evidence for the add-on's health (ocm-status-addon pkg/controller/manager.go). */
const probed = {
  group: 'apps',
  resource: 'deployments',
  namespace: addonNamespace,
  name: 'status-agent',
};

/** Reasons and messages of addon-framework's probes of works (pkg/addonmanager/controllers/agentdeploy). */
function healthOf({ status }: ManifestWork): Condition {
  const type = 'Available';
  const { values } =
    status?.resourceStatus?.manifests?.find(
      ({ resourceMeta: { resource, name } }) =>
        resource === probed.resource && name === probed.name,
    )?.statusFeedback ?? {};
  if (!values)
    return {
      type,
      status: 'Unknown',
      reason: 'NoProbeResult',
      message: 'Probe results are not returned',
    };
  const ready = values.find(({ name }) => name === 'ReadyReplicas')?.fieldValue.integer;
  if (ready)
    return {
      type,
      status: 'True',
      reason: 'ProbeAvailable',
      message: `${addon} add-on is available.`,
    };
  const why = 'readyReplica is not probed';
  return {
    type,
    status: 'False',
    reason: 'ProbeUnavailable',
    message: `Probe addon unavailable with err ${why}`,
  };
}

/**
 * Stands in for the manager of KubeStellar's status add-on on a hub (addon-framework, as the status add-on uses it): a ManifestWork
 * that deploys its agent for every ManagedClusterAddOn, which owns it, and the agent's registration, which it approves.
 */
export class StatusAddon {
  readonly #api: Api;
  readonly #agentImage: string | undefined;
  readonly #addons: Informer<Addon>;
  readonly #works: Informer<ManifestWork>;
  readonly #queue: WorkQueue;

  /** @param agentImage the image of the agent that it deploys */
  constructor(hub: Api, signal: AbortSignal, agentImage?: string) {
    this.#api = hub;
    this.#agentImage = agentImage;
    this.#queue = new WorkQueue(
      (cluster) => this.#sync(cluster),
      signal,
      () => {},
    );
    const wake = ({ metadata }: KubeObject) => this.#queue.add(metadata.namespace ?? '');
    const options = { onChange: wake };
    const labelSelector = `${addonNameLabel}=${addon}`;
    this.#addons = new Informer(hub, managedClusterAddOns, options, signal);
    this.#works = new Informer<ManifestWork>(
      hub,
      manifestWorks,
      { ...options, labelSelector },
      signal,
    );
    approveAddonRequests(hub, signal);
  }

  async #sync(cluster: string): Promise<void> {
    await Promise.all([this.#addons.synced, this.#works.synced]);
    const present = this.#addons.items.get(`${cluster}/${addon}`);
    // Garbage collection deletes the work of an add-on that is deleted.
    if (!present || present.metadata.deletionTimestamp) return;
    await offerRegistration(this.#api, cluster, present.status);
    const work = [...this.#works.items.values()].find(
      ({ metadata }) => metadata.namespace === cluster,
    );
    if (!work) await this.#deploy(present);
    else await this.#report(present, work);
  }

  async #deploy({ metadata }: KubeObject): Promise<void> {
    const { apiVersion, kind } = managedClusterAddOns;
    const { name, namespace = '', uid = '' } = metadata;
    await this.#api.ensure<ManifestWork>(manifestWorks, {
      metadata: {
        name: `addon-${name}-deploy-0`,
        namespace,
        labels: { [addonNameLabel]: name },
        ownerReferences: [
          { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true },
        ],
      },
      spec: {
        workload: { manifests: agentManifests(namespace, this.#agentImage) },
        manifestConfigs: [
          { resourceIdentifier: probed, feedbackRules: [{ type: 'WellKnownStatus' }] },
        ],
      },
    });
  }

  /** Reports whether the agent runs, as far as the work's feedback shows. */
  async #report({ metadata, status }: Addon, work: ManifestWork): Promise<void> {
    const present = status?.conditions ?? [];
    const conditions = withCondition(present, healthOf(work));
    if (conditions === present) return;
    const body = { status: { conditions, healthCheck: { mode: 'Customized' } } };
    await this.#api.patch(managedClusterAddOns, `${metadata.namespace}/${addon}`, body, {
      subresource: 'status',
    });
  }
}
