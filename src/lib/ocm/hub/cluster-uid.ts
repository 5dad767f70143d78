import { partialReader } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { annotateCluster } from '../../kube/client/foreseen.ts';
import { resources } from '../../kube/client/objects.ts';
import type { ManagedCluster } from '../model/ocm-objects.ts';

/**
 * Records on a ManagedCluster which cluster was registered, by the UID of its namespace kube-system: a name and a context may later
 * refer to another cluster.
 */
export const clusterUidAnnotation = 'stellarctl.kubestellar.io/kube-system-uid';

/** The UID of kube-system identifies a cluster, whatever the names of its contexts. Undefined if this user may not read it. */
export async function clusterUid(kube: Kube): Promise<string | undefined> {
  return (await partialReader(kube).get(resources.namespaces, 'kube-system'))?.metadata.uid;
}

/** The UID that stellarctl recorded when the WEC joined. */
export const recordedUid = (cluster: ManagedCluster | undefined) =>
  cluster?.metadata.annotations?.[clusterUidAnnotation];

/** Whether a cluster is the one that stellarctl has registered as this WEC. Without a record it is not. */
export async function isRecorded(
  kube: Kube,
  cluster: ManagedCluster | undefined,
): Promise<boolean> {
  const recorded = recordedUid(cluster);
  return recorded !== undefined && recorded === (await clusterUid(kube));
}

/** The finding for a cluster with another UID than the recorded one, a clause. */
export const otherUid = (uid: string, recorded: string, name: string) =>
  `its kube-system is ${uid.slice(0, 8)}…, and ${recorded.slice(0, 8)}… was recorded when ${name} joined`;

/**
 * Records which cluster a ManagedCluster is, if nothing is recorded yet. Only for a cluster whose identity is proven, or that this
 * run has registered itself.
 * @returns whether anything was written
 */
export async function recordUid(hub: Kube, cluster: ManagedCluster, uid: string): Promise<boolean> {
  if (recordedUid(cluster) !== undefined) return false;
  await annotateCluster(hub, cluster.metadata, clusterUidAnnotation, uid);
  return true;
}
