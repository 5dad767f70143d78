import { formatAge } from '../../core/deadline.ts';
import { advice, command, noted, onIts, partial, run } from '../../core/next-step.ts';
import {
  failed,
  failedForGood,
  met,
  type StageReport,
  unseen,
  type Verdict,
  waiting,
} from '../../core/stages.ts';
import {
  type Condition,
  changedAt,
  conditionOf,
  createdAt,
  isTrue,
  type WithConditions,
} from '../../kube/client/objects.ts';
import type { LostNode } from '../../kube/lost-nodes.ts';
import { isScaledToNone, refusedPods, scaleUp, toSeeLimits, toSeePod } from '../../kube/pods.ts';
import type { Proven } from '../../kube/served.ts';
import { type AgentLife, agentLife, takeoverMs } from '../../ocm/agent/agent-life.ts';
import type { FoundHub } from '../../ocm/agent/registered-hub.ts';
import {
  agentFailure,
  lacksAgent,
  lacksOperator,
  startingAgent,
  type WecEvidence,
} from '../../ocm/agent/wec-evidence.ts';
import { hubConnectionOf, isOfOtherServer } from '../../ocm/hub/hub-connection.ts';
import { bootstrapRequests, type HubEvidence, hasJoined } from '../../ocm/hub/hub-evidence.ts';
import type { RequestState } from '../../ocm/hub/registration-requests.ts';
import type { HubWebhook } from '../../ocm/hub/webhook.ts';
import {
  agentNamespace,
  hubSecretName,
  isOurs,
  operatorName,
  operatorNamespace,
} from '../../ocm/model/ocm-names.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import type { RuleKind } from './granted-kinds.ts';
import type { MailboxContents } from './mailbox.ts';
import { agentPods, announcementGraceMs, missing, toSeeAgent, unannounced } from './problems.ts';

/** All evidence of one registration. A side that cannot be read is undefined. */
export interface Registration {
  name: string;
  hub: HubEvidence | undefined;
  wec: WecEvidence | undefined;
  /** Whether the ITS still has its ManagedCluster, for a wait until it is gone. */
  left?: Proven<ManagedCluster> | undefined;
  /** Whether the hub admits ManagedClusters; undefined if it was not tried. */
  webhook?: HubWebhook | undefined;
  /** The given context of the WEC, whether its cluster answers or not. */
  context?: string | undefined;
  /** The context of the ITS, for commands. */
  its?: string;
  /** Milliseconds since the epoch. */
  now: number;
}

export const noHubAccess = 'no access to the ITS';
export const noWecAccess = 'no context of the WEC was given';
/** kube-controller-manager signs an approved request within a second; some hosted control planes never sign. */
export const signingGraceMs = 30_000;

/**
 * The Secret bootstrap-hub-kubeconfig, with which an agent registers: a join writes it (ocm pkg/registration/spoke/spokeagent.go).
 */
export function installed({ bootstrapSecret }: WecEvidence): Verdict {
  return bootstrapSecret ? met : waiting('the klusterlet is not installed');
}

/**
 * A CertificateSigningRequest of the agent (ocm pkg/registration/register/csr/csr.go). kube-controller-manager deletes it an hour
 * after its decision.
 */
export function requested(hub: HubEvidence): Verdict {
  if (bootstrapRequests(hub).length > 0) return met;
  return hasJoined(hub)
    ? unseen('its request has been collected')
    : waiting('the agent has not sent its request');
}

/**
 * The Secret hub-kubeconfig-secret, which the agent writes when its request is issued (ocm pkg/registration/register/csr/csr.go).
 */
export function certified({ hubSecret }: WecEvidence): Verdict {
  return hubSecret ? met : waiting(`the agent has not written ${agentNamespace}/${hubSecretName}`);
}

/**
 * A user sets spec.hubAcceptsClient; the hub creates the mailbox and the rights of the agent, then the condition
 * HubAcceptedManagedCluster
 * (ocm pkg/registration/hub/managedcluster/controller.go).
 */
export function accepted({ managedCluster }: HubEvidence, { name, its }: Registration): Verdict {
  const wanted = managedCluster?.spec?.hubAcceptsClient === true;
  // After a later denial the condition stays True while there are works.
  if (wanted && isTrue(managedCluster, 'HubAcceptedManagedCluster')) return met;
  if (wanted) return waiting('the hub has not acted on the acceptance');
  return waiting(
    hasJoined({ managedCluster }) ? 'its acceptance was withdrawn' : 'the cluster is not accepted',
    { code: 'not-accepted', next: [toAccept(name, its)] },
  );
}

/**
 * The condition ManagedClusterJoined: the agent sets it with its certificate (ocm
 * pkg/registration/spoke/managedcluster/joining_reconcile.go); nothing takes it back.
 */
export function joined(hub: HubEvidence): Verdict {
  return hasJoined(hub) ? met : waiting('the agent has not joined');
}

/**
 * The ManagedCluster: the agent creates it while it has only its bootstrap token (ocm
 * pkg/registration/spoke/registration/creating_controller.go).
 * What refuses it is in no status, and is not tried again for an hour.
 */
export function announced(hub: HubEvidence, registration: Registration): Verdict {
  const { name, now, wec, webhook, its, context = wec?.context } = registration;
  if (hub.managedCluster !== undefined) {
    return hub.managedCluster.metadata.deletionTimestamp
      ? failed('its ManagedCluster is being deleted', { code: 'being-deleted' })
      : met;
  }
  const join = (context === undefined ? partial : run)(
    command`stellarctl wec join ${`${name}=${context ?? 'CONTEXT'}`} ${onIts(its)}`,
  );
  const isUnanswered = webhook?.state === 'silent';
  const cause =
    missing(registration) ??
    (isUnanswered ? undefined : unannounced(hub, now, announcementGraceMs));
  if (cause !== undefined)
    return failed(cause.why, { code: cause.code, next: [{ ...join, lead: 'Register it again' }] });
  return isUnanswered
    ? waiting(webhook.why, { code: 'webhook-silent', next: webhook.next })
    : waiting('the agent has not announced its ManagedCluster');
}

/**
 * The condition Applied of the Klusterlet, which its operator sets (ocm
 * pkg/operator/operators/klusterlet/controllers/klusterletcontroller),
 * and the pods of both: a condition of an operator that is gone stays as it was.
 */
export function klusterletApplied(wec: WecEvidence, registration: Registration): Verdict {
  const { klusterlet, operator, pods, context } = wec;
  const failure = agentFailure(pods ?? []);
  if (failure !== undefined)
    return failed(`a container does not run: ${failure.why}`, {
      code: 'container-not-starting',
      next: toSeePod(context, failure),
    });
  if (klusterlet === undefined) return waiting('there is no Klusterlet');
  const condition = conditionOf(klusterlet, 'Applied');
  if (condition?.status === 'False')
    return failed(
      `the operator could not apply the agent: ${condition.message ?? condition.reason}`,
      { code: 'not-applied' },
    );
  const refused = refusedPods(operator);
  if (condition?.status !== 'True' && refused !== undefined)
    return failed(`the operator does not start: ${refused}`, {
      next: [toSeeLimits(context, operatorNamespace)],
    });
  if (condition?.status !== 'True')
    return waiting(
      isTrue(operator, 'Available') ? 'the operator has not acted yet' : 'the operator is starting',
    );
  const starting = startingAgent(wec);
  if (starting !== undefined)
    return waiting(`pod ${starting.metadata.name} of the agent is starting`);
  if (pods === undefined || !lacksAgent(wec)) return met;
  if (!lacksOperator(pods))
    return failed('the agent has no pod', { code: 'no-agent', next: [agentPods(context)] });
  return failed('neither the operator nor the agent has a pod', {
    code: 'no-operator',
    next: [toStartOperator(wec, registration)],
  });
}

/** Starts what has no pod. A join leaves an operator that another program has installed as it is. */
const toStartOperator = ({ operator, context }: WecEvidence, { name, its }: Registration) =>
  operator !== undefined && isScaledToNone(operator) && !isOurs(operator)
    ? run(scaleUp(context, operatorNamespace, 'deployment', operatorName))
    : noted(
        command`stellarctl wec join ${`${name}=${context}`} --accept ${onIts(its)}`,
        'starts what does not run',
      );

/**
 * The operator asks the hub one question every half second, and reports what it has found with the Secret that it read first (OCM
 * 1.3.1: a round takes up to 50 s).
 */
const operatorRoundMs = 60_000;

/** Objects have timestamps in whole seconds. */
const secondMs = 1000;

/** Whether the operator may report of an earlier content of the bootstrap secret: not if it has had only the present one. */
function isUntried({ bootstrapSecret }: WecEvidence, now: number): boolean {
  if (bootstrapSecret === undefined) return false;
  const changed = changedAt(bootstrapSecret);
  return changed - createdAt(bootstrapSecret) > secondMs && now - changed < operatorRoundMs;
}

/**
 * The condition HubConnectionDegraded of the Klusterlet: what its operator found from inside the WEC (ocm
 * …/klusterlet/controllers/ssarcontroller).
 */
export function hubReachable(wec: WecEvidence, { hub, now }: Registration): Verdict {
  if (agentLife({ hub, wec, now }).reaches) return met;
  const { state, bootstrap, config, error } = hubConnectionOf(wec.klusterlet);
  if (state === 'unseen') return waiting('the cluster has not tried to reach the hub');
  // If the hub has answered the agent's own certificate, it is reachable, even if it has not accepted the cluster yet.
  if (state === 'working' || config === 'Unauthorized' || bootstrap === 'Functional') return met;
  if (bootstrap === 'Missing') return waiting('the bootstrap secret is missing');
  if (bootstrap === 'Unauthorized') {
    return failed('the bootstrap token is accepted, but not allowed to register clusters', {
      code: 'not-allowed-to-register',
      next: [
        advice(
          'Is OCM on the ITS complete? Its ClusterRole open-cluster-management:bootstrap grants that',
        ),
      ],
    });
  }
  // The refused token, or the server that was tried, may be the one before.
  if (isOfOtherServer(error, wec.bootstrapSecret))
    return waiting('the operator has not tried the new address');
  const isRefused = error.kind === 'unauthorized';
  if (isRefused && isUntried(wec, now))
    return waiting('the operator has not tried the new bootstrap token');
  // A hub of several API servers may refuse a token for a moment that was made just now; that of a join file is older.
  return isRefused && hub === undefined
    ? failedForGood(error.words, {
        code: 'token-revoked',
        next: [
          partial(
            'stellarctl its token --file FILE',
            'Ask the administrator of the ITS for a new one',
          ),
        ],
      })
    : failed(error.words);
}

function requestsIn(hub: HubEvidence, ...states: RequestState[]) {
  return bootstrapRequests(hub).filter(({ state }) => states.includes(state));
}

/**
 * The condition Approved of the request: a user, or the hub for the users that its ClusterManager names (ocm
 * pkg/registration/register/csr/approve_reconciler.go).
 */
export function approved(hub: HubEvidence, { name, its, wec }: Registration): Verdict {
  if (requestsIn(hub, 'approved', 'issued', 'failed').length > 0) return met;
  if (hasJoined(hub)) return unseen('its request has been collected');
  const pending = requestsIn(hub, 'pending');
  const agents = new Set(pending.map(({ agent }) => agent)).size;
  // With its context, the request of its own agent is marked.
  if (agents > 1)
    return waiting(`${agents} agents ask for its name`, {
      code: 'several-agents-ask',
      next: [toAccept(wec === undefined ? name : `${name}=${wec.context}`, its)],
    });
  const asked = pending.map((request) => request.name).join(', ');
  if (agents === 1)
    return waiting(`request ${asked} is pending`, {
      code: 'request-pending',
      next: [toAccept(name, its)],
    });
  const denied = requestsIn(hub, 'denied').at(-1);
  if (denied === undefined) return waiting('there is no request to approve');
  const deletion = command`kubectl ${its === undefined ? [] : ['--context', its]} delete csr ${denied.name}`;
  const next = [noted(deletion, 'then its agent sends another one')];
  return failedForGood(`request ${denied.name} was denied`, { code: 'request-denied', next });
}

const toAccept = (target: string, its: string | undefined) =>
  run(command`stellarctl accept ${target} ${onIts(its)}`);

/** status.certificate of the request, by kube-controller-manager (kubernetes pkg/controller/certificates/signer). */
export function issued(hub: HubEvidence, { now }: Registration): Verdict {
  if (requestsIn(hub, 'issued').length > 0) return met;
  if (hasJoined(hub)) return unseen('its request has been collected');
  const unsigned = requestsIn(hub, 'approved', 'failed').at(-1);
  if (unsigned === undefined) return waiting('there is no approved request');
  if (unsigned.state === 'failed' || now - (unsigned.decided ?? now) > signingGraceMs) {
    return failed(
      `the ITS approved request ${unsigned.name} but has issued no certificate: its control plane does not sign for kubernetes.io/kube-apiserver-client`,
      { code: 'not-signed', next: [toSign] },
    );
  }
  return waiting('the certificate is being issued');
}

export const toSign = advice(
  'Run kube-controller-manager of the ITS with its controller csrsigning; some hosted control planes never sign',
);

/** The same condition as in hubReachable, for the agent's own certificate; the Lease that it renews is newer than that. */
export function connected({ hub, wec, now }: Registration): Verdict {
  if (agentLife({ hub, wec, now }).reaches) return met;
  if (wec === undefined) return unseen(noWecAccess);
  const { state, config, error } = hubConnectionOf(wec.klusterlet);
  if (state === 'working') return met;
  // The hub's address or certificate authority has changed since: the kubeconfig of the certificate no longer works.
  return config === 'Error' && wec.hubSecret !== undefined
    ? failed(error.words)
    : waiting('the agent is connecting with its certificate');
}

/**
 * The condition ManagedClusterConditionAvailable: True by the agent (ocm
 * pkg/registration/spoke/managedcluster/available_reconcile.go), Unknown
 * by the hub once the agent's Lease is five durations old (pkg/registration/hub/lease/controller.go). The Lease shows it minutes
 * before.
 */
export function available(hub: HubEvidence, registration: Registration): Verdict {
  const { name, now, wec, its } = registration;
  const restart = wec && command`stellarctl wec join ${`${name}=${wec.context}`} ${onIts(its)}`;
  const next =
    restart === undefined ? [] : [run(restart, 'If its log shows no reason, restart it')];
  const silent = { code: 'agent-silent', next: [toSeeAgent(registration), ...next] };
  const { managedCluster } = hub;
  // The hub creates a Lease at acceptance and reports that it stops, although no agent has ever held it.
  if (!hasJoined(hub)) return waiting('the agent has not joined');
  const condition = conditionOf(managedCluster, 'ManagedClusterConditionAvailable');
  if (condition === undefined) return waiting('the agent has not reported');
  const life = agentLife(registration);
  const { renews, silentFor } = life;
  const clocksDiffer = clockDifference(hub, life, now);
  if (clocksDiffer !== undefined)
    return failed(`the clocks of the cluster and the ITS differ ${clocksDiffer}`, {
      code: 'clocks-differ',
      next: [{ ...partial('timedatectl', 'Set the clock that is wrong'), note: 'on both sides' }],
    });
  if (condition.status === 'Unknown') {
    if ((renews === 'in-time' || renews === 'late') && !life.isMissed)
      return waiting('the agent is back and has not reported yet');
    if (silentFor !== undefined) return failed(`lease stopped ${formatAge(silentFor)} ago`, silent);
    const noticed = formatAge(now - Date.parse(condition.lastTransitionTime ?? ''));
    return failed(`lease stopped; the ITS noticed it ${noticed} ago`, silent);
  }
  if (condition.status === 'False') return reportedUnavailable(condition, registration);
  if (renews === 'no') return failed(`lease stopped ${formatAge(silentFor ?? 0)} ago`, silent);
  return seenOnWec(registration, life, silent);
}

/** What the WEC shows of an agent that the ITS still reports. @param silent what helps if it does not renew its Lease */
function seenOnWec(
  registration: Registration,
  { runs, restarted }: AgentLife,
  silent: Parameters<typeof failed>[1],
): Verdict {
  const { now, wec } = registration;
  // The ITS learns only after minutes that an agent is gone.
  if (wec?.klusterlet !== undefined && (!runs || agentFailure(wec.pods ?? [])))
    return lacksOperator(wec.pods ?? [])
      ? waiting('its operator has no pod', { next: [toStartOperator(wec, registration)] })
      : waiting('its operator or its agent is not running, whatever the ITS still reports');
  if (restarted === undefined) return met;
  const age = now - restarted;
  if (age >= takeoverMs)
    return failed(
      `its agent was restarted ${formatAge(age)} ago and has not renewed its lease since`,
      silent,
    );
  const lock = `after a kill it waits up to ${formatAge(takeoverMs)} for the lock of its predecessor`;
  return waiting(`its agent was restarted and has not renewed its lease yet; ${lock}`);
}

/** What the agent reports, of the WEC's API server with the checks that fail (ocm pkg/registration/spoke, healthCheck). */
function reportedUnavailable(
  { reason, message = '' }: Condition,
  { context }: Registration,
): Verdict {
  if (reason !== 'ManagedClusterKubeAPIServerUnavailable')
    return failed(message || reason || 'the agent reports it as not available');
  const failing = [...message.matchAll(/\[-\](\S+) failed/g)].map(([, check]) => check);
  const [, refusal] = /dial \S+ \S+ (?:connect: )?(.*)$/s.exec(message) ?? [];
  const why =
    failing.length > 0 ? `: ${failing.join(', ')} failed` : refusal ? ` (${refusal})` : '';
  const onWec = command`kubectl --context ${context ?? 'CONTEXT'}`;
  const [see, words] = refusal
    ? [`${onWec} cluster-info`, 'Does it answer you?']
    : [`${onWec} get --raw /readyz?verbose`, 'Repair what fails; see its health checks'];
  const next = [(context === undefined ? partial : run)(see, words)];
  return failed(`its API server is not healthy${why}`, { code: 'api-server-unhealthy', next });
}

/**
 * The agent writes its own time into the Lease: an apparent silence may be the difference between the clocks.
 * @returns undefined unless the ITS reports that they differ
 */
function clockDifference({ managedCluster }: HubEvidence, { renewed }: AgentLife, now: number) {
  if (conditionOf(managedCluster, 'ManagedClusterConditionClockSynced')?.status !== 'False')
    return undefined;
  return renewed === undefined ? 'too much' : `by ${formatAge(Math.abs(now - renewed))}`;
}

/** A cluster that a context leads to and that is certainly not the WEC. */
export interface OtherCluster {
  context: string;
  /** What was found there, a clause. */
  found: string;
}

/** The evidence for a diagnosis. */
export interface WecFindings extends Registration {
  reports: readonly StageReport[];
  /** The objects of the mailbox, as the ITS has them. */
  contents?: MailboxContents | undefined;
  /** The namespaces of operator and agents that are being deleted on the WEC. */
  ending?: readonly WithConditions[] | undefined;
  /** The nodes of operator and agent whose kubelets do not report. */
  lostNodes?: readonly LostNode[] | undefined;
  /** The cluster behind the given context if it is certainly another one: nothing else of it is read. */
  otherCluster?: OtherCluster | undefined;
  /** The version of OCM on the ITS, from its running registration controller. */
  ocmOfHub?: string | undefined;
  /** Whether the add-on that returns statuses is missing, although the ITS installs it by Placements. */
  lacksAddon?: boolean;
  /** Kinds of objects in its works that its agent is not allowed to apply. */
  refused?: readonly RuleKind[] | undefined;
  /** Kinds that may not be read on the WEC: their absence proves nothing. */
  forbidden: ReadonlySet<string>;
  /** The hub that the WEC's agent is registered with, if the agent does not keep its WEC available on the ITS. */
  foundHub?: FoundHub | undefined;
  /** The context of the ITS. */
  its: string;
}
