import { formatAge } from '../../duration.ts';
import type { Kube } from '../../kube/client.ts';
import { isTrue, type KubeObject, type Lease } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import { originBindingLabel, originWdsLabel, propertiesNamespace } from '../../kubestellar/names.ts';
import { clusterNameLabel, leaseName } from '../names.ts';
import type { CertificateSigningRequest, ManagedCluster } from '../objects.ts';

/** work.open-cluster-management.io/v1, as far as a deregistration reads it. */
export interface ManifestWork extends KubeObject {
  spec?: {
    deleteOption?: { propagationPolicy?: string };
    workload?: { manifests?: { kind?: string; metadata?: { name?: string; namespace?: string } }[] };
  };
  status?: { conditions?: { type: string; status: 'True' | 'False' | 'Unknown'; observedGeneration?: number }[] };
}

/** What an ITS holds of one WEC, and what leaving will do. */
export interface Inspection {
  name: string;
  managedCluster: ManagedCluster | undefined;
  /** Works of workloads: made by a WDS's transport, or by hand. Add-ons' works are not among them. */
  works: ManifestWork[];
  addonWorks: ManifestWork[];
  addons: KubeObject[];
  /** The mailbox namespace, if it is one: a namespace of that name that belongs to something else is not touched. */
  mailbox: KubeObject | undefined;
  /** The ConfigMap with its customization properties. */
  properties: KubeObject | undefined;
  /** Its requests, those of its add-ons included. */
  requests: CertificateSigningRequest[];
  /** Undefined for an agent that lives; else what shows that it does not. */
  agentDead: string | undefined;
}

const addonWorkLabel = 'open-cluster-management.io/addon-name';

/** Reads everything that a deregistration is about. */
export async function inspect(hub: Kube, name: string): Promise<Inspection> {
  const inMailbox = { namespace: name };
  const [managedCluster, works, addons, namespace, properties, requests, lease] = await Promise.all([
    hub.get<ManagedCluster>(resources.managedClusters, name),
    hub.list<ManifestWork>(resources.manifestWorks, inMailbox),
    hub.list(resources.managedClusterAddOns, inMailbox),
    hub.get(resources.namespaces, name),
    hub.get(resources.configMaps, name, { namespace: propertiesNamespace }),
    hub.list<CertificateSigningRequest>(resources.certificateSigningRequests, {
      labelSelector: `${clusterNameLabel}=${name}`,
    }),
    hub.get<Lease>(resources.leases, leaseName, inMailbox),
  ]);
  return {
    name,
    managedCluster,
    works: (works ?? []).filter((work) => !isAddonWork(work)),
    addonWorks: (works ?? []).filter(isAddonWork),
    addons: addons ?? [],
    mailbox: namespace?.metadata.labels?.[clusterNameLabel] === name ? namespace : undefined,
    properties,
    requests: requests ?? [],
    agentDead: managedCluster === undefined ? 'it is not registered' : whyDead(managedCluster, lease, hub.now()),
  };
}

function isAddonWork({ metadata }: ManifestWork): boolean {
  return metadata.labels?.[addonWorkLabel] !== undefined || metadata.name.startsWith('addon-');
}

/** An agent renews its lease every leaseDurationSeconds (1 to 1.25 times); three missed ones are enough not to count on it. */
function whyDead(managedCluster: ManagedCluster, lease: Lease | undefined, now: number): string | undefined {
  if (!isTrue(managedCluster, 'ManagedClusterJoined')) return 'it has never joined';
  const renewed = Date.parse(lease?.spec?.renewTime ?? '');
  if (Number.isNaN(renewed)) return 'it has no lease';
  const limit = 3 * 1.25 * (managedCluster.spec?.leaseDurationSeconds ?? 60) * 1000;
  return now - renewed > limit ? `its lease was last renewed ${formatAge(now - renewed)} ago` : undefined;
}

/** The objects in a work, as `Deployment web/nginx`. */
export function objectsIn({ spec }: ManifestWork): string[] {
  return (spec?.workload?.manifests ?? []).map(
    ({ kind, metadata }) => `${kind} ${metadata?.namespace ? `${metadata.namespace}/` : ''}${metadata?.name}`,
  );
}

/** Works by the binding policy that they come from, as `nginx-policy (wds1)`. */
export function policiesOf(works: readonly ManifestWork[]): Map<string, ManifestWork[]> {
  const policies = new Map<string, ManifestWork[]>();
  for (const work of works) {
    const { [originBindingLabel]: policy, [originWdsLabel]: wds } = work.metadata.labels ?? {};
    const key = policy === undefined ? 'no binding policy' : `${policy} (${wds ?? 'unknown WDS'})`;
    policies.set(key, [...(policies.get(key) ?? []), work]);
  }
  return policies;
}

/** Labels that people and policies use; those of OCM and Kubernetes are theirs to keep. */
export function selectableLabels({ metadata }: ManagedCluster): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata.labels ?? {}).filter(
      ([key]) => !/(^|\.)(open-cluster-management|kubernetes|k8s)\.io\//.test(key),
    ),
  );
}

/** True where nothing of a registration is left. */
export function isGone({ managedCluster, works, addonWorks, mailbox, properties, requests }: Inspection): boolean {
  return (
    [managedCluster, mailbox, properties].every((part) => part === undefined) &&
    [works, addonWorks, requests].every((part) => part.length === 0)
  );
}
