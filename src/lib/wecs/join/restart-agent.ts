import { formatAge } from '../../core/deadline.ts';
import { partialReader } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { unlessStatus } from '../../kube/client/errors.ts';
import { createdAt, type Lease, type Pod, resources } from '../../kube/client/objects.ts';
import { listServed } from '../../kube/served.ts';
import { deleteObjects } from '../../kube/writes.ts';
import { agentLife } from '../../ocm/agent/agent-life.ts';
import { bootstrapSecret, secretWrittenAt } from '../../ocm/agent/klusterlet-agent.ts';
import {
  agentPodsOf,
  agentStarted,
  isOperatorPod,
  stuckPodsOf,
  type WecEvidence,
} from '../../ocm/agent/wec-evidence.ts';
import type { HubAccess } from '../../ocm/hub/hub-access.ts';
import { bootstrapRequests } from '../../ocm/hub/hub-evidence.ts';
import { agentNamespace } from '../../ocm/model/ocm-names.ts';
import { asksWithSeveralKeys } from '../registration/acceptance.ts';
import { clockMarginMs } from '../registration/own-requests.ts';
import { missing, type Reregister, unannounced } from '../registration/problems.ts';
import type { Registration } from '../registration/registration-checks.ts';
import { judgeRegistration } from '../registration/registration-stages.ts';
import type { JoinPlan } from './join-plan.ts';

/** An agent announces itself within a second of its request; the operator checks a changed secret within a few. */
const restartAnnouncementMs = 10_000;
/**
 * An agent whose bootstrap secret has changed restarts and sends a request within some seconds: if stopped then, it would send two.
 */
const agentRestartMs = 15_000;
/** Objects have timestamps in whole seconds. */
const secondMs = 1000;

/** Why and how an agent must be restarted. `pods`: it still runs with the secrets that it had before. */
export type Restart = Pick<Reregister, 'why'> & { by: Reregister['by'] | 'pods' };

/**
 * Detects an agent that retries by itself only after an hour, or never, and an operator that retries only after minutes: the agent
 * if the hub refused it once, as during its restart (ocm pkg/registration/spoke: 401 and 403 are swallowed until the next resync),
 * or if it has a certificate of a registration that is gone.
 */
export class RestartsDuringJoin {
  /** The steps that are done: if one did not help, something else is wrong. */
  readonly #done = new Set<Restart['by']>();
  #isLost = false;
  #webhookSilentAt = 0;

  /**
   * @param wecNow the WEC's clock, milliseconds since the epoch
   * @param areOwn whether only requests were read that are proven to be the WEC's own
   * @returns undefined if the agent should not restart
   */
  need(registration: Registration, wecNow: number, areOwn = false): Restart | undefined {
    if (registration.hub === undefined || this.#done.has('pods')) return undefined;
    // With a new secret most agents send a request at once; the others are replaced.
    if (this.#done.size > 0) return podRestartNeed(registration, wecNow);
    // Both clusters are accessible: the agent must send one more request, which supersedes all earlier ones.
    if (asksWithSeveralKeys(registration.hub, areOwn))
      return { why: 'its requests have several keys', by: 'token' };
    return (
      this.#lost(registration) ??
      this.#unannounced(registration) ??
      podRestartNeed(registration, wecNow) ??
      overdue(registration)
    );
  }

  markDone({ by }: Restart): void {
    this.#done.add(by);
  }

  /** Both sides were read in parallel: a finding counts when two readings show it. */
  #lost(registration: Registration): Restart | undefined {
    const lost = missing(registration);
    const isBefore = this.#isLost;
    this.#isLost = lost !== undefined;
    return isBefore ? lost : undefined;
  }

  #unannounced({ hub, webhook, now }: Registration): Restart | undefined {
    // It cannot announce itself while the webhook does not admit it.
    if (webhook?.state === 'silent') this.#webhookSilentAt = now;
    const isPending = hub && bootstrapRequests(hub).at(-1)?.state === 'pending';
    return isPending
      ? unannounced(hub, now, restartAnnouncementMs, this.#webhookSilentAt)
      : undefined;
  }
}

/** An earlier run removed the certificate and was interrupted before it deleted the pods, which still use it. */
function podRestartNeed(registration: Registration, wecNow: number): Restart | undefined {
  const { hub, wec, now } = registration;
  if (hub === undefined || wec?.bootstrapSecret === undefined || wec.hubSecret !== undefined)
    return undefined;
  const written = secretWrittenAt(wec.bootstrapSecret);
  const age = wecNow - written;
  const isOld = agentPodsOf(wec.pods).some((pod) => createdAt(pod) < written - secondMs);
  // A certificate that was issued without a ManagedCluster is from the registration before.
  const isFormer = (state: string) => state === 'issued' && hub.managedCluster === undefined;
  const hasAsked = bootstrapRequests(hub).some(
    ({ created, state }) => now - created <= age + clockMarginMs && !isFormer(state),
  );
  // An operator reports only after some time what it has reached; a restart does not fix an unreachable hub.
  const reach = judgeRegistration(registration).find(({ id }) => id === 'hub-reachable');
  return isOld && !hasAsked && age > agentRestartMs && reach?.verdict.state !== 'failed'
    ? { why: 'its agent is older than its bootstrap secret and has not asked since', by: 'pods' }
    : undefined;
}

/** An agent that runs and does nothing. Once only: a restart has not helped one that has not renewed its Lease since it started. */
function overdue({ hub, wec, now }: Registration): Restart | undefined {
  const { isMissed, renews, renewed, restarted } = agentLife({ hub, wec, now });
  const isOverdue = renewed !== undefined && (isMissed || renews === 'no');
  const isStarted = wec !== undefined && agentStarted(wec) !== undefined;
  return isOverdue && isStarted && restarted === undefined
    ? { why: `its agent has not renewed its Lease for ${formatAge(now - renewed)}`, by: 'pods' }
    : undefined;
}

/** Makes an agent register again: with a new bootstrap secret, and without its certificate if that is of a lost registration. */
export async function reregister(
  access: HubAccess,
  { kube, endpoint, account }: JoinPlan,
  by: Reregister['by'],
  wec: WecEvidence,
): Promise<void> {
  await kube.apply(
    bootstrapSecret(endpoint, await access.token(account), kube.now(), access.kube !== undefined),
  );
  if (by === 'certificate') await dropCertificate(kube, wec);
}

/**
 * Removes an agent's certificate and its copy: the agent's kubeconfig is in an emptyDir, which outlives its containers and ends
 * with its pods (ocm manifests/klusterlet/management). The bootstrap secret must be written before: pods older than it show an
 * interruption after that.
 */
export async function dropCertificate(kube: Kube, { hubSecret }: WecEvidence): Promise<void> {
  if (hubSecret !== undefined) await kube.delete(resources.secrets, hubSecret);
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
  await deleteLeases(kube, () => true);
  const pods = agentPodsOf(
    await listServed<Pod>(kube, resources.pods, { namespace: agentNamespace }),
  );
  await deleteObjects(kube, resources.pods, pods);
}

/** Deletes Leases of agents whose holder evidently no longer runs: its pod is gone, or has restarted since it renewed them. */
export async function removeDeadLeases(kube: Kube, { pods }: WecEvidence): Promise<void> {
  const agents = agentPodsOf(pods);
  if (agents.length === 0) return;
  await deleteLeases(kube, ({ spec: { holderIdentity = '', renewTime = '' } = {} }) => {
    if (holderIdentity === '') return false;
    const holder = agents.find(({ metadata }) => holderIdentity.startsWith(`${metadata.name}_`));
    const started = holder?.status?.containerStatuses?.map(({ state }) =>
      Date.parse(state?.running?.startedAt ?? ''),
    )[0];
    return (
      holder === undefined || (started !== undefined && Date.parse(renewTime) < started - 1000)
    );
  });
}

async function deleteLeases(kube: Kube, isOver: (lease: Lease) => boolean) {
  for (const name of agentLeases) {
    const lease = await partialReader(kube).get<Lease>(resources.leases, name, {
      namespace: agentNamespace,
    });
    // Without that right it takes some minutes longer.
    if (lease && isOver(lease)) await unlessStatus(kube.delete(resources.leases, lease), 403);
  }
}

/** Restarts containers that did not run before: the state of their pods is as old as the kubelet's back-off. */
export async function retryStuckPods(
  kube: Kube,
  { pods }: WecEvidence,
  operatorIsOurs: boolean,
): Promise<void> {
  const stuck = stuckPodsOf(pods).filter((pod) => operatorIsOurs || !isOperatorPod(pod));
  // A convenience: without that right a user waits a little longer.
  await unlessStatus(deleteObjects(kube, resources.pods, stuck), 403);
}
