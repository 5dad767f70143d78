import { command } from '../../../engine/command-line.ts';
import type { Kube } from '../../../kube/client/client.ts';
import type { CertificateSigningRequest, KubeObject, Lease } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resources.ts';
import { listServed } from '../../../kube/served.ts';
import { isAddonWork, type ManifestWork } from '../../../workloads/manifest-works.ts';
import { propertiesNamespace } from '../../../workloads/names.ts';
import { findManagedCluster } from '../../hub/require-hub.ts';
import { clusterNameLabel, leaseName } from '../../names.ts';
import type { ManagedCluster } from '../../objects.ts';

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
    name,
    managedCluster,
    works: works.filter((work) => !isAddonWork(work)),
    addonWorks: works.filter(isAddonWork),
    addons,
    mailbox: namespace?.metadata.labels?.[clusterNameLabel] === name ? namespace : undefined,
    properties,
    requests,
    lease,
  };
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
