import { noSuchWec } from '../../hub/find-wecs.ts';
import { ifSeen, tryRead } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { Registration } from './checks.ts';
import { readWholeHub } from './hub-evidence.ts';

/**
 * Refuses a name that the ITS does not know, unless the cluster of its context registers, or cannot be read.
 * @param kube the client of that cluster
 * @throws StellarError `not-found`, with the nearest names
 */
export async function refuseUnknown(
  its: Kube,
  { name, hub, wec }: Registration,
  kube: Kube | undefined,
): Promise<void> {
  const isKnown = hub?.managedCluster !== undefined || (hub?.requests ?? []).length > 0;
  const mayRegister = kube !== undefined && (wec === undefined || wec.klusterlet !== undefined);
  const readNames = async () => [...(await readWholeHub(its)).keys()];
  if (!isKnown && !mayRegister) throw noSuchWec(name, its, ifSeen(await tryRead(readNames)));
}
