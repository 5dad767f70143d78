import { formatAge } from '../../engine/duration.ts';
import type { Kube } from '../../kube/client/client.ts';
import { unlessStatus } from '../../kube/client/errors.ts';
import { isTrue, type Lease, type Pod } from '../../kube/objects.ts';
import { lenient } from '../../kube/permissive-reader.ts';
import { resources } from '../../kube/resources.ts';
import { certificateExpiry, presentCertificate } from '../identity/agent-certificate.ts';
import { agentNamespace, hubSecretName } from '../names.ts';
import { type HubEvidence, hasJoined } from '../registration/hub-evidence.ts';
import type { WecEvidence } from '../registration/wec-evidence.ts';
import { agentPodsOf, isOperatorPod, stuckPodsOf } from '../registration/wec-pods.ts';

/** Why an agent that has a certificate has to request registration anew, and what makes it do so. */
export interface LostRegistration {
  why: string;
  /** `token`: a new bootstrap secret. `certificate`: its certificate has to be taken away as well. */
  by: 'token' | 'certificate';
}

/**
 * Why an agent that has a certificate has to ask for registration anew: with it, it neither announces its ManagedCluster nor asks
 * for another one. One that has expired is no reason for it not to ask (ocm pkg/registration/spoke): with a token that works, it does.
 * @returns undefined where its certificate is of use
 */
export async function lostRegistration(
  hub: Kube | undefined,
  evidence: HubEvidence | undefined,
  { hubSecret }: WecEvidence,
): Promise<LostRegistration | undefined> {
  if (hub === undefined || evidence === undefined || hubSecret === undefined) return undefined;
  const { context } = hub.cluster;
  if (evidence.managedCluster === undefined)
    return { why: `its agent has a certificate, and ${context} has no ManagedCluster of it`, by: 'certificate' };
  const expired = certificateExpiry(hubSecret, hub.now());
  if (expired !== undefined)
    return { why: `the certificate of its agent expired ${formatAge(hub.now() - expired.getTime())} ago`, by: 'token' };
  if (hasJoined(evidence) && isTrue(evidence.managedCluster, 'ManagedClusterConditionAvailable')) return undefined;
  const answer = await presentCertificate(hub, hubSecret);
  return answer.state === 'refused'
    ? { why: `${context} does not accept the certificate of its agent`, by: 'certificate' }
    : undefined;
}

/**
 * Takes the certificate away from an agent, and what it remembers of it: the agent's kubeconfig lies in an emptyDir, which outlives
 * its containers and ends with its pods (ocm manifests/klusterlet/management). The bootstrap secret must have been written before:
 * an interruption after that is recognised by pods that are older than it.
 */
export async function dropCertificate(kube: Kube, { hubSecret }: WecEvidence): Promise<void> {
  const uid = hubSecret?.metadata.uid;
  if (hubSecret !== undefined) await kube.delete(resources.secrets, hubSecretName, { namespace: agentNamespace, uid });
  await restartAgents(kube);
}

/**
 * The Leases by which an agent leads (ocm pkg/common, leader election). One that waits for its certificate dies without giving its
 * Lease up when its bootstrap secret changes, and the next one waits minutes for that to expire (seen with OCM 1.0.0 and 1.3.1).
 */
const agentLeases = ['klusterlet-agent-lock', 'registration-agent-lock'];

/**
 * Replaces the pods of a WEC's agents. Their Leases go first, or the new ones wait until those expire: an agent that waits for its
 * certificate does not give its Lease up.
 */
export async function restartAgents(kube: Kube): Promise<void> {
  for (const name of agentLeases) {
    const lease = await lenient(kube).get<Lease>(resources.leases, name, { namespace: agentNamespace });
    if (lease !== undefined) await removeLease(kube, lease);
  }
  await removePods(kube, agentPodsOf(await kube.list<Pod>(resources.pods, { namespace: agentNamespace })));
}

/** Deletes Leases of agents whose holder evidently runs no more: its pod is gone, or has been started anew since it renewed them. */
export async function releaseDeadLeases(kube: Kube, { pods }: WecEvidence): Promise<void> {
  const agents = agentPodsOf(pods);
  if (agents.length === 0) return;
  for (const name of agentLeases) {
    const lease = await lenient(kube).get<Lease>(resources.leases, name, { namespace: agentNamespace });
    const { holderIdentity = '', renewTime = '' } = lease?.spec ?? {};
    if (lease === undefined || holderIdentity === '') continue;
    const holder = agents.find(({ metadata }) => holderIdentity.startsWith(`${metadata.name}_`));
    const started = holder?.status?.containerStatuses?.map(({ state }) =>
      Date.parse(state?.running?.startedAt ?? ''),
    )[0];
    const isDead = holder === undefined || (started !== undefined && Date.parse(renewTime) < started - 1000);
    if (isDead) await removeLease(kube, lease);
  }
}

async function removeLease(kube: Kube, { metadata: { name, namespace, uid } }: Lease): Promise<void> {
  // Without that right it takes some minutes longer.
  await unlessStatus(kube.delete(resources.leases, name, { namespace, uid }), 403);
}

/**
 * Has containers tried again at once that did not run before: what their pods say is as old as the back-off of their kubelet.
 * @returns whether any pod was deleted
 */
export async function retryStuckPods(kube: Kube, { pods }: WecEvidence, operatorIsOurs: boolean): Promise<boolean> {
  const stuck = stuckPodsOf(pods, kube.now()).filter((pod) => operatorIsOurs || !isOperatorPod(pod));
  // A convenience: whoever may not do it waits a little longer.
  return (await unlessStatus(removePods(kube, stuck), 403)) ?? false;
}

/** Deletes these very pods; their Deployments make others. @returns whether there were any */
async function removePods(kube: Kube, pods: readonly Pod[]): Promise<boolean> {
  for (const { metadata } of pods) {
    const { name, namespace, uid } = metadata;
    await kube.delete(resources.pods, name, { namespace, uid });
  }
  return pods.length > 0;
}
