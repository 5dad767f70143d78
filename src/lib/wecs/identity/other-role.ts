import { count } from '../../engine/counts.ts';
import type { Kube } from '../../kube/client/client.ts';
import { ApiError } from '../../kube/client/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { type Resource, resources } from '../../kube/resources.ts';
import { type AppliedManifestWork, hubHash } from '../../workloads/applied-works.ts';

/**
 * What a cluster without a Klusterlet of its own evidently is, where that is something else than a cluster to register: a clause
 * such as `it is an OCM hub`. A hub in Hosted mode keeps its Klusterlets elsewhere; only their works show then.
 * @param ownHubs the servers of the ITS: works that it has left there are no sign of another role
 * @returns undefined where nothing shows it, or nothing of that may be read
 */
export async function otherRole(kube: Kube, ownHubs: readonly string[] = []): Promise<string | undefined> {
  const own = ownHubs.map(hubHash);
  const [managers, controlPlanes, allWorks] = await Promise.all([
    listed(kube, resources.clusterManagers),
    listed(kube, resources.controlPlanes),
    listed<AppliedManifestWork>(kube, resources.appliedManifestWorks),
  ]);
  const works = allWorks?.filter(({ spec }) => !own.includes(spec?.hubHash ?? '')).length;
  if (managers?.length) return 'it is an OCM hub';
  // Where the kind is served, KubeFlex is installed, with or without control planes.
  if (controlPlanes !== undefined) return 'it is a hosting cluster of ITSes and WDSes';
  return works ? `it has no Klusterlet, and ${count(works, 'work')} of a hub` : undefined;
}

/** Undefined where the kind is not served or may not be read. */
async function listed<T extends KubeObject>(kube: Kube, resource: Resource): Promise<T[] | undefined> {
  try {
    return await kube.list<T>(resource);
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  }
}
