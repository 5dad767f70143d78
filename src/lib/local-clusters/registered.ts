import { StellarError } from '../errors.ts';
import type { Kube } from '../kube/client.ts';
import { resources } from '../kube/resources.ts';
import { klusterletName } from '../ocm/names.ts';
import type { Klusterlet, ManagedCluster } from '../ocm/objects.ts';
import { requireHub } from '../ocm/require-hub.ts';
import { type Answer, quietly } from './quietly.ts';

/**
 * Refuses to delete a cluster that an ITS goes on counting on. Where no ITS can be asked, the cluster itself is: its klusterlet says
 * whether it is registered anywhere.
 * @param its the ITS that is meant; undefined where none is
 * @param wec the cluster; undefined where it cannot be reached
 * @throws StellarError `still-registered`
 */
export async function refuseRegistered(name: string, its: Kube | undefined, wec: Kube | undefined): Promise<void> {
  const listed = its === undefined ? undefined : await managedCluster(its, name);
  if (listed !== undefined && listed.answer !== undefined)
    throw stillRegistered(name, `with ${its?.cluster.context}`, its);
  // The ITS was asked, and does not know it: what the klusterlet believes is no matter.
  if (listed !== undefined || wec === undefined) return;
  const klusterlet = await quietly(wec.get<Klusterlet>(resources.klusterlets, klusterletName));
  if (klusterlet?.answer?.spec?.clusterName === undefined) return;
  const as = klusterlet.answer.spec.clusterName;
  throw stillRegistered(name, `as ${as} with an ITS that could not be asked`, undefined);
}

async function managedCluster(its: Kube, name: string): Promise<Answer<ManagedCluster> | undefined> {
  return quietly(requireHub(its).then(() => its.get<ManagedCluster>(resources.managedClusters, name)));
}

function stillRegistered(name: string, how: string, its: Kube | undefined): StellarError {
  return new StellarError('still-registered', `${name} is still registered, ${how}; it was not deleted.`, {
    hint: `Take it out first: stellarctl deregister ${name} --its ${its?.cluster.context ?? 'CONTEXT'}    Delete it all the same: --force`,
  });
}
