import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { inWords, outline, run } from '../../engine/next-step.ts';
import { hubEndpoints } from '../../hub/hub-access.ts';
import { findManagedCluster } from '../../hub/require-hub.ts';
import { type Access, ifSeen, tryRead } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { SelectedContext } from '../../kube/kubeconfig/kubeconfig.ts';
import { resources } from '../../kube/resources.ts';
import { listIfDefined } from '../../kube/served.ts';
import type { ManagedCluster } from '../../model/ocm-objects.ts';
import { findHub } from '../identity/registered-hub.ts';
import { hubOf } from '../klusterlet/agent.ts';
import { readWec } from '../registration/wec-evidence.ts';

/** A reachable ITS. */
interface AskedIts {
  kube: Kube;
  context: SelectedContext;
}

/**
 * Refuses to delete a cluster that is still registered with an ITS. The cluster itself shows which hub it belongs to; the chosen
 * ITS is authoritative only for its own WECs.
 * @param its the chosen ITS; undefined if none is chosen
 * @throws StellarError `still-registered`, and others if the cluster cannot be read
 */
export async function refuseRegistered(name: string, its: AskedIts | undefined, wec: Kube): Promise<void> {
  const own = await readWec(wec);
  if (own.klusterlet === undefined) await listIfDefined(wec, resources.klusterlets);
  const registeredAs = own.klusterlet?.spec?.clusterName;
  if (registeredAs !== undefined) {
    const read = async ({ kube, context }: AskedIts) =>
      findHub(kube, own, { endpoints: await hubEndpoints(kube, context), isRecorded: false });
    const found = its && ifSeen(await tryRead(() => read(its)));
    const isAsked = found !== undefined && found.relation !== 'other';
    // If its own ITS does not list it, the klusterlet's state is irrelevant.
    const listed = isAsked && its !== undefined ? await managedCluster(its.kube, registeredAs) : undefined;
    if (listed?.state === 'seen' && listed.value === undefined) return;
    throw stillRegistered(name, registeredAs, isAsked ? its?.context.name : undefined, hubOf(own)?.server);
  }
  const listed = its && (await managedCluster(its.kube, name));
  if (ifSeen(listed) !== undefined) throw stillRegistered(name, name, its?.context.name, undefined);
}

async function managedCluster(its: Kube, name: string): Promise<Access<ManagedCluster | undefined>> {
  return tryRead(() => findManagedCluster(its, name));
}

function stillRegistered(name: string, as: string, its: string | undefined, server: string | undefined): StellarError {
  const under = as === name ? '' : ` as ${as}`;
  const hub = its ?? (server === undefined ? 'a hub that its klusterlet does not name' : `the hub ${server}`);
  return new StellarError('still-registered', `${name} is still registered${under} with ${hub}; it was not deleted.`, {
    next: [
      (its === undefined ? outline : run)(
        command`stellarctl deregister ${as} --its ${its ?? 'CONTEXT'}`,
        'Deregister it first',
      ),
      inWords('Delete it anyway: --force'),
    ],
  });
}
