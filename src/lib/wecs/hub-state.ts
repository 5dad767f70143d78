import { command } from '../core/command-line.ts';
import { sharedReading } from '../core/concurrency.ts';
import { type Kube, readsOneByOne } from '../kube/client/client.ts';
import { unlessStatus } from '../kube/client/errors.ts';
import type { CertificateSigningRequest, KubeObject, Lease } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { listServed } from '../kube/served.ts';
import { propertiesNamespace } from '../ocm/kubestellar-names.ts';
import { isAddonWork, type ManifestWork } from '../ocm/manifest-works.ts';
import { clusterNameLabel, leaseName } from '../ocm/ocm-names.ts';
import type { ManagedCluster } from '../ocm/ocm-objects.ts';
import { findManagedCluster } from '../ocm/require-hub.ts';

/** What an ITS has of one WEC. */
export interface HubState {
  name: string;
  managedCluster: ManagedCluster | undefined;
  /** Works of workloads: created by a WDS's transport or by hand, without those of add-ons. */
  works: ManifestWork[];
  addonWorks: ManifestWork[];
  addons: KubeObject[];
  /** The mailbox namespace, if it is one: a namespace of that name for another purpose is not changed. */
  mailbox: KubeObject | undefined;
  /** The ConfigMap with its customization properties. */
  properties: KubeObject | undefined;
  /** Its requests, including those of its add-ons. */
  requests: CertificateSigningRequest[];
  /** Renewed by its agent. */
  lease: Lease | undefined;
  reread(): Promise<HubState>;
}

/** Reads everything that a deregistration changes. @throws StellarError `not-a-hub`, `api-error` for what cannot be seen */
export async function readHubState(hub: Kube, name: string): Promise<HubState> {
  const inMailbox = { namespace: name };
  const [managedCluster, works, addons, namespace, properties, requests, lease] = await Promise.all([
    findManagedCluster(hub, name),
    listServed<ManifestWork>(hub, resources.manifestWorks, inMailbox),
    listServed(hub, resources.managedClusterAddOns, inMailbox),
    hub.get(resources.namespaces, name),
    hub.get(resources.configMaps, name, { namespace: propertiesNamespace }),
    listServed<CertificateSigningRequest>(hub, resources.certificateSigningRequests, {
      labelSelector: `${clusterNameLabel}=${name}`,
    }),
    hub.get<Lease>(resources.leases, leaseName, inMailbox),
  ]);
  return {
    ...{ name, managedCluster, addons, properties, requests, lease, mailbox: asMailbox(namespace) },
    ...byOwner(works),
    reread: () => readHubState(hub, name),
  };
}

const byOwner = (works: readonly ManifestWork[]): Pick<HubState, 'works' | 'addonWorks'> => ({
  works: works.filter((work) => !isAddonWork(work)),
  addonWorks: works.filter(isAddonWork),
});

const asMailbox = (namespace: KubeObject | undefined): KubeObject | undefined =>
  namespace?.metadata.labels?.[clusterNameLabel] === namespace?.metadata.name ? namespace : undefined;

/** Reads what an ITS has of WECs: of many with one list of each kind, which serves all that are read again at the same time. */
export async function readHubStates(hub: Kube, names: readonly string[]): Promise<HubState[]> {
  if (names.length <= readsOneByOne) return Promise.all(names.map((name) => readHubState(hub, name)));
  const readAll = sharedReading(() => listHubStates(hub));
  const readOne = async (name: string): Promise<HubState> => {
    const stateOf = await unlessStatus(readAll(), 403);
    return stateOf === undefined ? readHubState(hub, name) : { ...stateOf(name), reread: () => readOne(name) };
  };
  return Promise.all(names.map(readOne));
}

/** @throws StellarError `api-error` for what cannot be seen, `forbidden` */
async function listHubStates(hub: Kube): Promise<(name: string) => Omit<HubState, 'reread'>> {
  const labelled = { labelSelector: clusterNameLabel };
  const [clusters, works, addons, namespaces, properties, requests, leases] = await Promise.all([
    listServed<ManagedCluster>(hub, resources.managedClusters),
    listServed<ManifestWork>(hub, resources.manifestWorks),
    listServed(hub, resources.managedClusterAddOns),
    listServed(hub, resources.namespaces, labelled),
    listServed(hub, resources.configMaps, { namespace: propertiesNamespace }),
    listServed<CertificateSigningRequest>(hub, resources.certificateSigningRequests, labelled),
    listServed<Lease>(hub, resources.leases, labelled),
  ]);
  const inMailboxes = <T extends KubeObject>(all: readonly T[]) =>
    Map.groupBy(all, ({ metadata }) => metadata.namespace);
  const [worksOf, addonsOf, leasesOf] = [inMailboxes(works), inMailboxes(addons), inMailboxes(leases)];
  const requestsOf = Map.groupBy(requests, ({ metadata }) => metadata.labels?.[clusterNameLabel]);
  const byName = <T extends KubeObject>(all: readonly T[]) => new Map(all.map((each) => [each.metadata.name, each]));
  const [clusterOf, namespaceOf, propertiesOf] = [byName(clusters), byName(namespaces), byName(properties)];
  return (name) => ({
    name,
    managedCluster: clusterOf.get(name),
    ...byOwner(worksOf.get(name) ?? []),
    addons: addonsOf.get(name) ?? [],
    mailbox: asMailbox(namespaceOf.get(name)),
    properties: propertiesOf.get(name),
    requests: requestsOf.get(name) ?? [],
    lease: leasesOf.get(name)?.find(({ metadata }) => metadata.name === leaseName),
  });
}

/** True if nothing of a registration is left on the ITS. */
export function isGone({ managedCluster, works, addonWorks, mailbox, properties, requests }: HubState): boolean {
  return (
    [managedCluster, mailbox, properties].every((part) => part === undefined) &&
    [works, addonWorks, requests].every((part) => part.length === 0)
  );
}

/** The command that deregisters a WEC from an ITS. @param wec NAME or NAME=CONTEXT */
export const toDeregister = ({ cluster }: Kube, wec: string, ...options: readonly string[]): string =>
  command`stellarctl deregister ${[wec, ...options]} --its ${cluster.context}`;
