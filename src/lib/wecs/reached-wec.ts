import { command } from '../core/command-line.ts';
import { partial } from '../core/next-step.ts';
import type { Kube } from '../kube/client/client.ts';
import type { SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import { recordedUid } from '../ocm/cluster-uid.ts';
import { hubEndpoints } from '../ocm/hub-access.ts';
import { readWec, type WecEvidence } from '../ocm/wec-evidence.ts';
import { getManagedCluster } from './get.ts';
import { proveIdentity, requireProof } from './identity.ts';

/** A WEC with the ITS that it is registered with. */
export interface ReachedWec {
  its: { kube: Kube; context: SelectedContext };
  name: string;
  kube: Kube;
}

/** Proves that a context leads to the WEC. @throws StellarError `not-found`, `registered-elsewhere`, `identity-unproven` */
export async function proveWec({ its, name, kube }: ReachedWec): Promise<WecEvidence> {
  const [managedCluster, endpoints, evidence] = await Promise.all([
    getManagedCluster(its.kube, name),
    hubEndpoints(its.kube, its.context),
    readWec(kube),
  ]);
  const known = { name, endpoints, recordedUid: recordedUid(managedCluster) };
  const inspectStep = partial(command`stellarctl wec get ${`${name}=CONTEXT`} --its ${its.context.name}`);
  requireProof(await proveIdentity(its.kube, kube, evidence, known), kube, name, its.kube, [inspectStep]);
  return evidence;
}
