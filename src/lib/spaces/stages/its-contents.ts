import type { Kube } from '../../kube/client/client.ts';
import { isCrdServed } from '../../kube/discovery.ts';
import type { ConfigMap, KubeObject, Pod } from '../../kube/objects.ts';
import { type LenientReader, lenient } from '../../kube/permissive-reader.ts';
import { resources } from '../../kube/resources.ts';
import type { Endpoint } from '../../wecs/hub/endpoint.ts';
import { parseClusterInfo } from '../../wecs/hub/hub-kubeconfig.ts';
import { bootstrapServiceAccounts, hubNamespace, managedClusterCrd, operatorNamespace } from '../../wecs/names.ts';
import { type HubWebhook, tryHubWebhook } from '../../wecs/registration/hub-webhook.ts';
import { propertiesNamespace, workStatusCrd } from '../../workloads/names.ts';

/** What an ITS shows from inside. */
export interface ItsInside {
  /** The kind ManagedCluster is defined and served. */
  hubServed: boolean;
  workStatusServed: boolean;
  /** The service account by whose tokens agents introduce themselves. */
  bootstrapAccount: string | undefined;
  clusterInfo: Endpoint | undefined;
  /** Undefined while ManagedClusters are not served: nothing can be tried. */
  webhook: HubWebhook | undefined;
  /** The pods of OCM's operator and of the hub's controllers; KubeStellar's status add-on is among the first. */
  hubPods: readonly Pod[];
  propertiesNamespace: boolean;
  /** Plural names of the kinds that this user may not read there: they seem to have no objects. */
  forbidden: ReadonlySet<string>;
}

export async function readItsInside(kube: Kube): Promise<ItsInside> {
  const its = lenient(kube);
  const [hubServed, workStatusServed, accounts, info, hubPods, properties] = await Promise.all([
    isCrdServed(its, managedClusterCrd),
    isCrdServed(its, workStatusCrd),
    Promise.all(
      bootstrapServiceAccounts.map((name) =>
        its.get<KubeObject>(resources.serviceAccounts, name, { namespace: operatorNamespace }),
      ),
    ),
    its.get<ConfigMap>(resources.configMaps, 'cluster-info', { namespace: 'kube-public' }),
    readHubPods(its),
    its.get<KubeObject>(resources.namespaces, propertiesNamespace),
  ]);
  return {
    webhook: hubServed ? await tryHubWebhook(kube) : undefined,
    hubServed,
    workStatusServed,
    bootstrapAccount: accounts.find((account) => account !== undefined)?.metadata.name,
    clusterInfo: parseClusterInfo(info?.data?.kubeconfig),
    hubPods,
    propertiesNamespace: properties !== undefined,
    forbidden: its.forbidden,
  };
}

/** The pods of OCM's operator and of the hub's controllers; those that this user may not see left out. */
export async function readHubPods(its: LenientReader): Promise<Pod[]> {
  const namespaces = [operatorNamespace, hubNamespace];
  const pods = await Promise.all(namespaces.map((namespace) => its.list<Pod>(resources.pods, { namespace })));
  return pods.flatMap((list) => list ?? []);
}
