import { monotonic } from '../../engine/clock.ts';
import { formatAge } from '../../engine/duration.ts';
import type { Verdict } from '../../engine/stages.ts';
import { certificateExpiry, presentCertificate } from '../../hub/agent-certificate.ts';
import type { Kube } from '../../kube/client/client.ts';
import { unlessStatus } from '../../kube/client/errors.ts';
import { createdAt, isTrue, type Lease, type Pod } from '../../kube/objects.ts';
import { partialReader } from '../../kube/partial-reader.ts';
import { resources } from '../../kube/resources.ts';
import { agentNamespace, hubSecretName } from '../../model/ocm-names.ts';
import { writtenAt } from '../klusterlet/agent.ts';
import { asksWithSeveralKeys } from '../registration/acceptance.ts';
import type { Registration } from '../registration/checks.ts';
import { bootstrapRequests, type HubEvidence, hasJoined } from '../registration/hub-evidence.ts';
import { judgeRegistration } from '../registration/stages.ts';
import type { WecEvidence } from '../registration/wec-evidence.ts';
import { agentPodsOf, isOperatorPod, stuckPodsOf } from '../registration/wec-pods.ts';
import { clockMarginMs } from './own-requests.ts';

/** Why an agent that has a certificate must request registration again, and what makes it do so. */
export interface LostRegistration {
  why: string;
  /** `token`: a new bootstrap secret. `certificate`: the removal of its certificate as well. */
  by: 'token' | 'certificate';
}

/**
 * Why an agent that has a certificate must request registration again: with a certificate, it neither announces its ManagedCluster
 * nor requests another one. An expired certificate does not keep it from a request (ocm pkg/registration/spoke): with a valid
 * token, it sends one.
 * @returns undefined if its certificate is valid for its hub
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

/** An agent announces itself within a second of its request; the operator checks a changed secret within a few. */
const patienceMs = 10_000;
/**
 * An agent whose bootstrap secret has changed restarts and sends a request within some seconds: if stopped then, it would send two.
 */
const restartMs = 15_000;
/** Objects have timestamps in whole seconds. */
const secondMs = 1000;

/** How an agent must be restarted. */
export interface ReregistrationNeed {
  why: string;
  /**
   * `token`: with a new bootstrap secret. `certificate`: with the removal of its certificate as well. `pods`: both are done, and it
   * still runs as before.
   */
  by: 'token' | 'certificate' | 'pods';
}

/**
 * Detects an agent that retries by itself only after an hour, or never, and an operator that retries only after minutes: the agent
 * if the hub refused it once, as during its restart (ocm pkg/registration/spoke: 401 and 403 are swallowed until the next resync),
 * or if it has a certificate of a registration that is gone.
 */
export class Reregistration {
  /** The steps that are done: if one did not help, something else is wrong. */
  readonly #done = new Set<ReregistrationNeed['by']>();
  #unreachableSince: number | undefined;
  #lostSince: number | undefined;
  #webhookSilentAt = 0;

  /**
   * @param wecNow the WEC's clock, milliseconds since the epoch
   * @param areOwn whether only requests were read that are proven to be the WEC's own
   * @returns undefined if the agent should not restart
   */
  need(registration: Registration, hub: Kube, wecNow: number, areOwn = false): ReregistrationNeed | undefined {
    if (registration.hub === undefined || this.#done.has('pods')) return undefined;
    // With a new secret most agents send a request at once; the others are replaced.
    if (this.#done.size > 0) return podRestartNeed(registration, wecNow);
    // Both clusters are accessible: the agent must send one more request, which supersedes all earlier ones.
    if (asksWithSeveralKeys(registration.hub, areOwn)) return { why: 'its requests have several keys', by: 'token' };
    return (
      this.#lost(registration) ??
      this.#unannounced(registration) ??
      podRestartNeed(registration, wecNow) ??
      this.#away(registration, hub)
    );
  }

  markDone({ by }: ReregistrationNeed): void {
    this.#done.add(by);
  }

  /** Both sides were read in parallel: a finding counts when two readings show it. */
  #lost({ hub, wec }: Registration): ReregistrationNeed | undefined {
    const isLost = hub?.managedCluster === undefined && wec?.hubSecret !== undefined;
    if (!isLost) this.#lostSince = undefined;
    else if (this.#lostSince !== undefined)
      return { why: 'its agent has a certificate, and the ITS has no ManagedCluster of it', by: 'certificate' };
    else this.#lostSince = monotonic();
    return undefined;
  }

  #unannounced({ hub, webhook, now }: Registration): ReregistrationNeed | undefined {
    // It cannot announce itself while the webhook does not admit it.
    if (webhook?.state === 'silent') this.#webhookSilentAt = now;
    const request = hub && bootstrapRequests(hub).at(-1);
    if (hub?.managedCluster !== undefined || request?.state !== 'pending') return undefined;
    const since = Math.max(request.created, this.#webhookSilentAt);
    return now - since > patienceMs ? { why: 'its agent could not announce itself', by: 'token' } : undefined;
  }

  #away(registration: Registration, hub: Kube): ReregistrationNeed | undefined {
    if (reachOf(registration)?.state !== 'failed' || !hub.hasBeenUnavailable()) this.#unreachableSince = undefined;
    else this.#unreachableSince ??= monotonic();
    const stale = this.#unreachableSince !== undefined && monotonic() - this.#unreachableSince > patienceMs / 2;
    return stale ? { why: 'the ITS was unreachable', by: 'token' } : undefined;
  }
}

/** An earlier run removed the certificate and was interrupted before it deleted the pods, which still use it. */
function podRestartNeed(registration: Registration, wecNow: number): ReregistrationNeed | undefined {
  const { hub, wec, now } = registration;
  if (hub === undefined || wec?.bootstrapSecret === undefined || wec.hubSecret !== undefined) return undefined;
  const written = writtenAt(wec.bootstrapSecret);
  const age = wecNow - written;
  const isOld = agentPodsOf(wec.pods).some((pod) => createdAt(pod) < written - secondMs);
  // A certificate that was issued without a ManagedCluster is from the registration before.
  const isFormer = (state: string) => state === 'issued' && hub.managedCluster === undefined;
  const hasAsked = bootstrapRequests(hub).some(
    ({ created, state }) => now - created <= age + clockMarginMs && !isFormer(state),
  );
  // An operator reports only after some time what it has reached; a restart does not fix an unreachable hub.
  return isOld && !hasAsked && age > restartMs && reachOf(registration)?.state !== 'failed'
    ? { why: 'its agent is older than its bootstrap secret and has not asked since', by: 'pods' }
    : undefined;
}

const reachOf = (registration: Registration): Verdict | undefined =>
  judgeRegistration(registration).find(({ id }) => id === 'hub-reachable')?.verdict;
