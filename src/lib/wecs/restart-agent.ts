import type { Kube } from '../kube/client/client.ts';
import { unlessStatus } from '../kube/client/errors.ts';
import type { Lease, Pod } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { partialReader } from '../kube/partial-reader.ts';
import type { HubAccess } from '../ocm/hub-access.ts';
import { bootstrapSecret } from '../ocm/klusterlet-agent.ts';
import { agentNamespace, hubSecretName } from '../ocm/ocm-names.ts';
import type { WecEvidence } from '../ocm/wec-evidence.ts';
import { agentPodsOf, isOperatorPod, stuckPodsOf } from '../ocm/wec-pods.ts';
import type { JoinPlan } from './join-plan.ts';
import type { Reregister } from './reregister-causes.ts';

/** Makes an agent register again: with a new bootstrap secret, and without its certificate if that is of a lost registration. */
export async function reregister(
  access: HubAccess,
  { kube, endpoint, account }: Pick<JoinPlan, 'kube' | 'endpoint' | 'account'>,
  by: Reregister['by'],
  wec: WecEvidence | undefined,
): Promise<void> {
  await kube.apply(bootstrapSecret(endpoint, await access.token(account), kube.now(), access.kube !== undefined));
  if (by === 'certificate' && wec !== undefined) await dropCertificate(kube, wec);
}

/**
 * Removes an agent's certificate and its copy: the agent's kubeconfig is in an emptyDir, which outlives its containers and ends
 * with its pods (ocm manifests/klusterlet/management). The bootstrap secret must be written before: pods older than it show an
 * interruption after that.
 */
export async function dropCertificate(kube: Kube, { hubSecret }: WecEvidence): Promise<void> {
  const uid = hubSecret?.metadata.uid;
  if (hubSecret !== undefined) await kube.delete(resources.secrets, hubSecretName, { namespace: agentNamespace, uid });
  await restartAgents(kube);
}

/**
 * The Leases of the agents' leader election (ocm pkg/common, leader election). An agent that waits for its certificate exits
 * without releasing its Lease when its bootstrap secret changes, and the next one waits minutes until that expires (seen with OCM
 * 1.0.0 and 1.3.1).
 */
const agentLeases = ['klusterlet-agent-lock', 'registration-agent-lock'];

/**
 * Replaces the pods of a WEC's agents. It deletes their Leases first, or the new pods wait until those expire: an agent that waits
 * for its certificate does not release its Lease.
 */
export async function restartAgents(kube: Kube): Promise<void> {
  for (const name of agentLeases) {
    const lease = await partialReader(kube).get<Lease>(resources.leases, name, { namespace: agentNamespace });
    if (lease !== undefined) await removeLease(kube, lease);
  }
  await removePods(kube, agentPodsOf(await kube.list<Pod>(resources.pods, { namespace: agentNamespace })));
}

/** Deletes Leases of agents whose holder evidently no longer runs: its pod is gone, or has restarted since it renewed them. */
export async function releaseDeadLeases(kube: Kube, { pods }: WecEvidence): Promise<void> {
  const agents = agentPodsOf(pods);
  if (agents.length === 0) return;
  for (const name of agentLeases) {
    const lease = await partialReader(kube).get<Lease>(resources.leases, name, { namespace: agentNamespace });
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
 * Restarts containers that did not run before: the state of their pods is as old as the kubelet's back-off.
 * @returns whether any pod was deleted
 */
export async function retryStuckPods(kube: Kube, { pods }: WecEvidence, operatorIsOurs: boolean): Promise<boolean> {
  const stuck = stuckPodsOf(pods, kube.now()).filter((pod) => operatorIsOurs || !isOperatorPod(pod));
  // A convenience: without that right a user waits a little longer.
  return (await unlessStatus(removePods(kube, stuck), 403)) ?? false;
}

/** Deletes exactly these pods; their Deployments create others. @returns whether there were any */
async function removePods(kube: Kube, pods: readonly Pod[]): Promise<boolean> {
  for (const { metadata } of pods) {
    const { name, namespace, uid } = metadata;
    await kube.delete(resources.pods, name, { namespace, uid });
  }
  return pods.length > 0;
}
