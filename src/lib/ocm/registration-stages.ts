import { formatAge } from '../duration.ts';
import { conditionOf, isTrue } from '../kube/objects.ts';
import {
  blockingStage,
  failed,
  judge,
  met,
  type Stage,
  type StageReport,
  unseen,
  type Verdict,
  waiting,
} from '../stages.ts';
import { bootstrapRequests, type HubEvidence, hasJoined } from './hub-evidence.ts';
import { agentNamespace, hubNamespace, hubSecretName } from './names.ts';
import type { RegistrationStageId } from './registration-stage-ids.ts';
import type { RequestState } from './requests.ts';
import type { WecEvidence } from './wec-evidence.ts';

/** Everything that can be seen of one registration. A side that cannot be looked at is undefined. */
export interface Registration {
  name: string;
  hub: HubEvidence | undefined;
  wec: WecEvidence | undefined;
  /** Milliseconds since the epoch. */
  now: number;
}

const noHubAccess = 'no access to the ITS';
const noWecAccess = 'no context of the WEC was given';
/** An approved request is signed within a second by kube-controller-manager; some hosted control planes never sign. */
const signingGraceMs = 30_000;

type Check<Side> = (side: Side, registration: Registration) => Verdict;
const onHub = (check: Check<HubEvidence>) => (registration: Registration) =>
  registration.hub === undefined ? unseen(noHubAccess) : check(registration.hub, registration);
const onWec = (check: Check<WecEvidence>) => (registration: Registration) =>
  registration.wec === undefined ? unseen(noWecAccess) : check(registration.wec, registration);

/**
 * How a registration comes about. They are in the order of events, but none waits for the one before: the agent sends its request
 * and its ManagedCluster side by side. Sources: ocm pkg/registration/spoke and pkg/operator, klusterlet status conditions.
 */
export const registrationStages: readonly (Stage<Registration> & { id: RegistrationStageId })[] = [
  {
    id: 'bootstrap-secret',
    title: 'bootstrap secret written',
    check: onWec(({ bootstrapSecret }) => (bootstrapSecret ? met : waiting('the klusterlet is not installed'))),
  },
  { id: 'klusterlet-applied', title: 'klusterlet applied', check: onWec(klusterletApplied) },
  { id: 'hub-reachable', title: 'hub reached from the cluster', check: onWec(hubReachable) },
  {
    id: 'managed-cluster',
    title: 'ManagedCluster announced',
    check: onHub(announced),
  },
  {
    id: 'request',
    title: 'registration requested',
    check: onHub((hub) => {
      if (bootstrapRequests(hub).length > 0) return met;
      return hasJoined(hub) ? unseen('its request has been collected') : waiting('the agent has not sent its request');
    }),
  },
  { id: 'approved', title: 'request approved', check: onHub(approved) },
  { id: 'issued', title: 'certificate issued', check: onHub(issued) },
  {
    id: 'hub-secret',
    title: 'certificate received',
    check: onWec(({ hubSecret }) =>
      hubSecret ? met : waiting(`the agent has not written ${agentNamespace}/${hubSecretName}`),
    ),
  },
  {
    id: 'accepted',
    title: 'accepted by the ITS',
    check: onHub(({ managedCluster }) => {
      const wanted = managedCluster?.spec?.hubAcceptsClient === true;
      // After a later refusal the condition stays True while there are works.
      if (wanted && isTrue(managedCluster, 'HubAcceptedManagedCluster')) return met;
      return waiting(wanted ? 'the hub has not acted on the acceptance' : 'the cluster is not accepted');
    }),
  },
  { id: 'connected', title: 'connected with its certificate', check: connected },
  {
    id: 'joined',
    title: 'joined',
    check: onHub((hub) => (hasJoined(hub) ? met : waiting('the agent has not joined'))),
  },
  { id: 'available', title: 'available', check: onHub(available) },
];

export function judgeRegistration(registration: Registration): StageReport[] {
  return judge(registrationStages, registration);
}

/** What a cluster is doing while it is kept by a stage, for people. */
const whileWaiting: Record<string, string> = {
  'bootstrap-secret': 'not installed',
  'klusterlet-applied': 'klusterlet starting',
  'hub-reachable': 'reaching the hub',
  'managed-cluster': 'not announced',
  request: 'no request yet',
  approved: 'request pending',
  issued: 'approved, not issued',
  'hub-secret': 'certificate issued',
  accepted: 'not accepted',
  connected: 'connecting',
  joined: 'accepted, joining',
  available: 'joined, not available',
};

/** The state of a registration in a few words: the STAGE column of a list. */
export function describeRegistration(reports: readonly StageReport[]): { text: string; problem: boolean; why: string } {
  const blocking = blockingStage(reports);
  if (blocking === undefined) return { text: 'available', problem: false, why: '' };
  const { id, verdict } = blocking;
  const why = verdict.state === 'met' ? '' : verdict.why;
  if (verdict.state === 'failed') return { text: id, problem: true, why };
  return { text: whileWaiting[id] ?? id, problem: false, why };
}

/** An agent announces itself with its request; refused by the hub's webhook, it tries again only after hours, or when it restarts. */
const announcementGraceMs = 30_000;

function announced(hub: HubEvidence, { name, now }: Registration): Verdict {
  if (hub.managedCluster !== undefined) {
    return hub.managedCluster.metadata.deletionTimestamp ? failed('its ManagedCluster is being deleted') : met;
  }
  const asked = bootstrapRequests(hub).at(-1)?.created;
  if (asked !== undefined && now - asked > announcementGraceMs) {
    return failed(
      `the agent asked ${formatAge(now - asked)} ago and could not announce its ManagedCluster`,
      `See whether the ITS lets it: its webhook runs in namespace ${hubNamespace}. Then, to start the agent anew: stellarctl wec join ${name}=CONTEXT`,
    );
  }
  return waiting('the agent has not announced its ManagedCluster');
}

function klusterletApplied({ klusterlet, operator, stuckContainers, context }: WecEvidence): Verdict {
  const [stuck] = stuckContainers;
  if (stuck !== undefined) {
    const [namespace, pod] = stuck.split(/[/:]/);
    return failed(
      `a container does not start: ${stuck}`,
      `Look at the pod: kubectl --context ${context} -n ${namespace} describe pod ${pod}`,
    );
  }
  if (klusterlet === undefined) return waiting('there is no Klusterlet');
  const condition = conditionOf(klusterlet, 'Applied');
  if (condition?.status === 'True') return met;
  if (condition?.status === 'False')
    return failed(`the operator could not apply the agent: ${condition.message ?? condition.reason}`);
  return waiting(isTrue(operator, 'Available') ? 'the operator has not acted yet' : 'the operator is starting');
}

/**
 * Klusterlet condition HubConnectionDegraded: False is good; True carries two reasons, about the bootstrap secret and about the
 * agent's own certificate. The operator tries both from inside the WEC, so this is what the cluster itself sees of the hub.
 */
function hubReachable({ klusterlet }: WecEvidence, { hub }: Registration): Verdict {
  if (hub !== undefined && isAlive(hub)) return met;
  const condition = conditionOf(klusterlet, 'HubConnectionDegraded');
  if (condition === undefined || condition.status === 'Unknown')
    return waiting('the cluster has not tried to reach the hub');
  const [bootstrap, own] = (condition.reason ?? '').split(',');
  // The hub has answered the agent's own certificate: reached, though not accepted yet.
  if (own === 'HubKubeConfigUnauthorized') return met;
  if (condition.status === 'False' || bootstrap === 'BootstrapSecretFunctional') return met;
  if (bootstrap === 'BootstrapSecretMissing') return waiting('the bootstrap secret is missing');
  if (bootstrap === 'BootstrapSecretUnauthorized') {
    return failed(
      'the bootstrap token is accepted, but not allowed to register clusters',
      'Is OCM on the ITS complete? Its ClusterRole open-cluster-management:bootstrap grants that',
    );
  }
  return failed(transportError(condition.message));
}

/** The operator's message quotes its whole access review; what a person needs is the transport's error at the end of a line. */
export function transportError(message = ''): string {
  const refused = /^Operation for resource &ResourceAttributes\{.*?Verb:([^,]*),.*?Resource:([^,]*),/m.exec(message);
  if (refused !== null) return `the hub does not let it ${refused[1]} ${refused[2]}`;
  const line =
    message.split('\n').find((text) => text.startsWith('Failed to create &SelfSubjectAccessReview')) ??
    message.split('\n')[0] ??
    '';
  const cause =
    /"(?:bootstrap-hub-kubeconfig|hub-kubeconfig-secret)"(?: to apiserver \S+)?: (.*)$/.exec(line)?.[1] ?? line;
  const plain = cause.replace(/^(?:Post|Get) "[^"]*": /, '').replace(/^dial tcp: /, '');
  return plain === 'Unauthorized' ? 'the hub does not accept the bootstrap token (Unauthorized)' : plain;
}

/** The operator looks every few minutes; an agent that keeps its cluster available reaches the hub, whatever was last said of it. */
function isAlive(hub: HubEvidence): boolean {
  return hasJoined(hub) && isTrue(hub.managedCluster, 'ManagedClusterConditionAvailable');
}

function requestsIn(hub: HubEvidence, ...states: RequestState[]) {
  return bootstrapRequests(hub).filter(({ state }) => states.includes(state));
}

function approved(hub: HubEvidence): Verdict {
  if (requestsIn(hub, 'approved', 'issued', 'failed').length > 0) return met;
  if (hasJoined(hub)) return unseen('its request has been collected');
  const pending = requestsIn(hub, 'pending');
  if (pending.length > 0) return waiting(`request ${pending.map(({ name }) => name).join(', ')} is pending`);
  const denied = requestsIn(hub, 'denied').at(-1);
  return denied ? failed(`request ${denied.name} was denied`) : waiting('there is no request to approve');
}

function issued(hub: HubEvidence, { now }: Registration): Verdict {
  if (requestsIn(hub, 'issued').length > 0) return met;
  if (hasJoined(hub)) return unseen('its request has been collected');
  const unsigned = requestsIn(hub, 'approved', 'failed').at(-1);
  if (unsigned === undefined) return waiting('there is no approved request');
  if (unsigned.state === 'failed' || now - (unsigned.decided ?? now) > signingGraceMs) {
    return failed(
      `the ITS approved request ${unsigned.name} but has issued no certificate: its control plane does not sign for kubernetes.io/kube-apiserver-client`,
    );
  }
  return waiting('the certificate is being issued');
}

function connected({ hub, wec }: Registration): Verdict {
  if (hub !== undefined && isAlive(hub)) return met;
  if (wec === undefined) return unseen(noWecAccess);
  const condition = conditionOf(wec.klusterlet, 'HubConnectionDegraded');
  if (condition?.status === 'False') return met;
  // The hub's address or authority has changed since: the certificate's own kubeconfig leads nowhere.
  if (condition?.reason?.endsWith(',HubKubeConfigError') && wec.hubSecret !== undefined) {
    return failed(transportError(condition.message));
  }
  return waiting('the agent is connecting with its certificate');
}

/** How long a lease may rest: five times its period (ocm pkg/registration/hub/lease). */
const leaseGrace = 5;

function available(hub: HubEvidence, { now }: Registration): Verdict {
  const { managedCluster, lease } = hub;
  // The hub makes a lease at acceptance and sees it stop, although no agent has ever held it.
  if (!hasJoined(hub)) return waiting('the agent has not joined');
  const condition = conditionOf(managedCluster, 'ManagedClusterConditionAvailable');
  if (condition === undefined) return waiting('the agent has not reported');
  const renewed = Date.parse(lease?.spec?.renewTime ?? '');
  const leaseAge = Number.isNaN(renewed) ? undefined : now - renewed;
  const clock = conditionOf(managedCluster, 'ManagedClusterConditionClockSynced');
  if (clock?.status === 'False') return failed(differentClocks(leaseAge));
  const limit = leaseGrace * (managedCluster?.spec?.leaseDurationSeconds ?? 60) * 1000;
  if (condition.status === 'Unknown') {
    if (leaseAge !== undefined && leaseAge < limit) return waiting('the agent has come back and has not reported yet');
    const since = leaseAge ?? now - Date.parse(condition.lastTransitionTime ?? '');
    return failed(`lease stopped ${formatAge(since)} ago`);
  }
  if (condition.status === 'False')
    return failed(condition.message ?? condition.reason ?? 'the agent reports it as not available');
  if (leaseAge !== undefined && leaseAge > limit) return failed(`lease stopped ${formatAge(leaseAge)} ago`);
  return met;
}

/** The agent writes its own time into the lease: what looks like a silence is the difference of the clocks. */
function differentClocks(leaseAge: number | undefined): string {
  const by = leaseAge === undefined ? 'too much' : `by ${formatAge(Math.abs(leaseAge))}`;
  return `the clocks of the cluster and the ITS differ ${by}`;
}
