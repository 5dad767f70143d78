import { count } from '../../engine/counts.ts';
import type { Kube } from '../../kube/client/client.ts';
import { lenient } from '../../kube/permissive-reader.ts';
import { resources } from '../../kube/resources.ts';
import { type AppliedManifestWork, hubHash } from '../../workloads/applied-works.ts';

/**
 * What a cluster without a Klusterlet of its own evidently is, where that is something else than a cluster to register: a clause
 * such as `it is an OCM hub`. A hub in Hosted mode keeps its Klusterlets elsewhere; only their works show then.
 * @param ownHubs the servers of the ITS: works that it has left there are no sign of another role
 * @returns undefined where nothing shows it, or nothing of that may be read
 */
export async function otherRole(kube: Kube, ownHubs: readonly string[] = []): Promise<string | undefined> {
  const own = ownHubs.map(hubHash);
  const reader = lenient(kube);
  const [managers, controlPlanes, allWorks] = await Promise.all([
    reader.list(resources.clusterManagers),
    reader.list(resources.controlPlanes),
    reader.list<AppliedManifestWork>(resources.appliedManifestWorks),
  ]);
  const works = allWorks?.filter(({ spec }) => !own.includes(spec?.hubHash ?? '')).length;
  if (managers?.length) return 'it is an OCM hub';
  // Where the kind is served, KubeFlex is installed, with or without control planes.
  if (controlPlanes !== undefined) return 'it is a hosting cluster of ITSes and WDSes';
  return works ? `it has no Klusterlet, and ${count(works, 'work')} of a hub` : undefined;
}
