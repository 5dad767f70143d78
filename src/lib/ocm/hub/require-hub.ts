import { StellarError } from '../../core/errors.ts';
import { advice } from '../../core/next-step.ts';
import { tryRead } from '../../kube/access.ts';
import type { Kube, Reader } from '../../kube/client/client.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import { type Deployment, resources } from '../../kube/client/objects.ts';
import { imageVersion } from '../../kube/image.ts';
import { listIfDefined, type Proven, prove, serves } from '../../kube/served.ts';
import { clusterManagerName, hubNamespace, registrationController } from '../model/ocm-names.ts';
import type { ClusterManager, ManagedCluster } from '../model/ocm-objects.ts';

/** @throws StellarError `not-a-hub` if the ManagedCluster API is not served (clusteradm checks the same) */
export async function requireHub(kube: Kube): Promise<void> {
  if (!(await serves(kube, resources.managedClusters))) throw notAHub(kube);
}

/** False only if the cluster answers and is not one. */
export const mayBeHub = async (kube: Kube) => {
  const asked = await tryRead(() => requireHub(kube));
  return asked.state !== 'hidden' || asked.error?.code !== 'not-a-hub';
};

/** A WEC's ManagedCluster. @throws StellarError `not-a-hub`, `api-error` if it has the kind and does not serve it */
export async function findManagedCluster(hub: Kube, name: string): Promise<Proven<ManagedCluster>> {
  const found = await prove<ManagedCluster>(hub, resources.managedClusters, name, {
    list: listIfDefined,
  });
  if (found.object === undefined) await requireHub(hub);
  return found;
}

/** The error for a cluster that does not know the kind ManagedCluster. */
export function notAHub({ cluster }: Pick<Kube, 'cluster'>): StellarError {
  return new StellarError(
    'not-a-hub',
    `${describeCluster(cluster)} is not an ITS: it does not serve managedclusters.cluster.open-cluster-management.io.`,
    advice('Give the context of the ITS: --its CONTEXT'),
  );
}

/** The image of a hub's registration, which tells its version and its registry; undefined if the hub does not show it. */
export async function hubImage(hub: Pick<Reader, 'get'>): Promise<string | undefined> {
  const manager = await hub.get<ClusterManager>(resources.clusterManagers, clusterManagerName);
  if (manager?.spec?.registrationImagePullSpec !== undefined)
    return manager.spec.registrationImagePullSpec;
  const on = { namespace: hubNamespace };
  const controller = await hub.get<Deployment>(resources.deployments, registrationController, on);
  return controller?.spec?.template?.spec?.containers?.[0]?.image;
}

/** The version of OCM that a hub is to run, as `1.3.1`; undefined if the hub does not show it. */
export const ocmOfHub = async (hub: Pick<Reader, 'get'>) => imageVersion(await hubImage(hub));
