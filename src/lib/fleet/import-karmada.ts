import { concurrentRequests, mapConcurrently } from '../core/concurrency.ts';
import { StellarError } from '../core/errors.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import type { KubeObject } from '../kube/client/objects.ts';
import type { Resource } from '../kube/client/resources.ts';
import { clusterUid } from '../ocm/cluster-uid.ts';
import type { Candidate } from './export.ts';
import { type ImportedFleet, wecNameOf, without } from './imported.ts';

const clusters: Resource = {
  apiVersion: 'cluster.karmada.io/v1alpha1',
  kind: 'Cluster',
  plural: 'clusters',
  namespaced: false,
};

/** cluster.karmada.io/v1alpha1, as far as it is read (karmada pkg/apis/cluster/v1alpha1/types.go). */
interface Cluster extends KubeObject {
  spec?: {
    /** The UID of the member's kube-system. */
    id?: string;
    syncMode?: string;
    provider?: string;
    region?: string;
    zone?: string;
    zones?: string[];
  };
}

/**
 * The members of a Karmada as a fleet: their labels, and provider, region and zones as properties. The contexts are found by the
 * UID of the members' kube-system, which Karmada records. @throws StellarError `not-found`
 */
export async function importKarmada(kube: Kube, candidates: readonly Candidate[]): Promise<ImportedFleet> {
  const members = await kube.list<Cluster>(clusters);
  if (members === undefined) throw new StellarError('not-found', `${kube.cluster.context} has no Clusters of Karmada.`);
  const uids = await mapConcurrently(candidates, concurrentRequests, (each) => tryRead(() => clusterUid(each.kube)));
  const imported: ImportedFleet = { wecs: [], comments: [] };
  for (const { metadata, spec = {} } of members) {
    const { id, syncMode, provider, region, zone, zones = zone === undefined ? [] : [zone] } = spec;
    const name = wecNameOf(metadata.name);
    const note = (comment: string) => imported.comments.push(`${name}: ${comment}`);
    const labels = without(metadata.labels, (key) => key.includes('karmada.io/'));
    const known = { provider, region, zones: [zones].flat().join(',') || undefined };
    const properties = Object.fromEntries(
      Object.entries(known).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    const context = candidates.find((_, index) => id !== undefined && ifSeen(uids[index]) === id)?.name;
    imported.wecs.push({
      name,
      ...(context !== undefined && { context }),
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(Object.keys(properties).length > 0 && { properties }),
    });
    if (name !== metadata.name) note(`Karmada calls it ${metadata.name}`);
    if (context === undefined) note(`no context leads to the cluster ${id ?? 'whose id Karmada does not have'}`);
    if (syncMode !== undefined) note(`Karmada's sync mode is ${syncMode}; agents of OCM always pull`);
  }
  return imported;
}
