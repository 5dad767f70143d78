import { concurrentRequests, mapConcurrently } from '../core/concurrency.ts';
import { tryRead } from '../kube/access.ts';
import { clusterUid } from '../ocm/cluster-uid.ts';
import { readWec } from '../ocm/wec-evidence.ts';
import { otherRole } from '../wecs/identity.ts';
import type { Candidate } from './export.ts';
import { type ImportedFleet, wecNameOf } from './imported.ts';

/**
 * The clusters of contexts as a fleet. Hubs, hosting clusters, WDSes and clusters that are registered already are left out, with
 * the reason in a comment; of several contexts of one cluster, all but the first.
 */
export async function importKubeconfig(candidates: readonly Candidate[]): Promise<ImportedFleet> {
  const found = await mapConcurrently(candidates, concurrentRequests, ({ kube }) =>
    tryRead(async () => {
      const [uid, role, { klusterlet }] = await Promise.all([clusterUid(kube), otherRole(kube), readWec(kube)]);
      const registered = klusterlet && `it is registered as ${klusterlet.spec?.clusterName ?? '-'}`;
      return { uid, why: role?.found ?? registered };
    }),
  );
  const imported: ImportedFleet = { wecs: [], comments: [] };
  const contexts = new Map<string, string>();
  for (const [index, { name: context }] of candidates.entries()) {
    const access = found[index];
    const { uid, why } = access?.state === 'seen' ? access.value : { uid: undefined, why: access?.why };
    const same = uid === undefined ? undefined : contexts.get(uid);
    if (uid !== undefined && why === undefined) contexts.set(uid, same ?? context);
    const reason = why ?? (same === undefined ? undefined : `it is the cluster of the context ${same}`);
    if (reason === undefined) imported.wecs.push({ name: wecNameOf(context), context });
    else imported.comments.push(`${context}: left out: ${reason}`);
  }
  return imported;
}
