import type { Kube } from '../kube/client/client.ts';
import type { ConfigMap, Deployment, KubeObject, Pod } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { isCrdServed } from '../kube/discovery.ts';
import { type PartialReader, partialReader } from '../kube/partial-reader.ts';
import type { Endpoint } from '../ocm/endpoint.ts';
import { parseClusterInfo } from '../ocm/hub-kubeconfig.ts';
import { statusAddonDeployment } from '../ocm/kubeflex-names.ts';
import { propertiesNamespace, workStatusCrd } from '../ocm/kubestellar-names.ts';
import { bootstrapServiceAccount, hubNamespace, managedClusterCrd, operatorNamespace } from '../ocm/ocm-names.ts';
import { type HubWebhook, tryHubWebhook } from '../ocm/webhook.ts';

/** The evidence from inside an ITS. */
export interface ItsInside {
  /** The context that leads there. */
  context: string;
  /** Of its clock, milliseconds since the epoch. */
  now: number;
  /** The kind ManagedCluster is defined and served. */
  hubServed: boolean;
  workStatusServed: boolean;
  /** KubeStellar's status add-on: without its Deployment no WEC returns a status. */
  hasStatusAddon: boolean;
  /** The service account whose tokens agents use to register. */
  hasBootstrapAccount: boolean;
  clusterInfo: Endpoint | undefined;
  /** Undefined while ManagedClusters are not served, and the webhook cannot be tried. */
  webhook: HubWebhook | undefined;
  /** The pods of OCM's operator and of the hub's controllers; the former include KubeStellar's status add-on. */
  hubPods: readonly Pod[];
  propertiesNamespace: boolean;
  /** Plural names of the kinds that the user may not read there: they appear empty. */
  forbidden: ReadonlySet<string>;
}

export async function readItsInside(kube: Kube, context = kube.cluster.context): Promise<ItsInside> {
  const its = partialReader(kube);
  const [hubServed, workStatusServed, statusAddon, account, info, hubPods, properties] = await Promise.all([
    isCrdServed(its, managedClusterCrd),
    isCrdServed(its, workStatusCrd),
    its.get<Deployment>(resources.deployments, statusAddonDeployment, { namespace: operatorNamespace }),
    its.get(resources.serviceAccounts, bootstrapServiceAccount, { namespace: operatorNamespace }),
    its.get<ConfigMap>(resources.configMaps, 'cluster-info', { namespace: 'kube-public' }),
    readHubPods(its),
    its.get<KubeObject>(resources.namespaces, propertiesNamespace),
  ]);
  return {
    ...{ context, now: kube.now() },
    webhook: hubServed ? await tryHubWebhook(kube) : undefined,
    hubServed,
    workStatusServed,
    hasStatusAddon: statusAddon !== undefined,
    hasBootstrapAccount: account !== undefined,
    clusterInfo: parseClusterInfo(info?.data?.kubeconfig),
    hubPods,
    propertiesNamespace: properties !== undefined,
    forbidden: its.forbidden,
  };
}

/** The pods of OCM's operator and of the hub's controllers, as far as the user may read them. */
export async function readHubPods(its: PartialReader): Promise<Pod[]> {
  const namespaces = [operatorNamespace, hubNamespace];
  const pods = await Promise.all(namespaces.map((namespace) => its.list<Pod>(resources.pods, { namespace })));
  return pods.flatMap((list) => list ?? []);
}
