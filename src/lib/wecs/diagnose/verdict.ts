import type { Check } from '../../core/checks.ts';
import { formatAge } from '../../core/deadline.ts';
import type { JudgedReading } from '../../core/follow.ts';
import { advice, command, noted, type Problem, partial, run } from '../../core/next-step.ts';
import { type BlockedReport, blockingStage } from '../../core/stages.ts';
import { resources } from '../../kube/client/objects.ts';
import { toSeeNode } from '../../kube/lost-nodes.ts';
import { agentLife, overdueLease } from '../../ocm/agent/agent-life.ts';
import { isOperatorPod, nodelessPod } from '../../ocm/agent/wec-evidence.ts';
import { bootstrapRequests, hasJoined, isAvailable } from '../../ocm/hub/hub-evidence.ts';
import {
  agentPods,
  registeredAsAnother,
  toSeeAgent,
  toSeeCluster,
  wecProblem,
} from '../registration/problems.ts';
import {
  type Registration,
  signingGraceMs,
  toSign,
  type WecFindings,
} from '../registration/registration-checks.ts';
import type { RegistrationStageId } from '../registration/registration-stage-ids.ts';
import {
  cannotConnect,
  expiredCertificate,
  missingManagedCluster,
  registeredElsewhere,
  validityOfAgent,
} from '../registration/reregister.ts';
import {
  beingDeleted,
  beingDeregistered,
  endingAgentNamespace,
  endingMailbox,
} from './deletion.ts';

function contextOfOtherCluster({ otherCluster, name, its }: WecFindings): Problem | undefined {
  if (otherCluster === undefined) return undefined;
  const { context, found } = otherCluster;
  return wecProblem(
    'context-of-another-cluster',
    `The context ${context} does not lead to ${name}: ${found}.`,
    partial(
      command`stellarctl doctor ${name}=CONTEXT --its ${its}`,
      'Give the context of its own cluster',
    ),
  );
}

/** A user has removed it, or the context leads to another cluster. */
function withoutKlusterlet({ hub, wec, forbidden, name, its }: WecFindings): Problem | undefined {
  const isUnseen = forbidden.has(resources.klusterlets.plural);
  if (wec === undefined || wec.klusterlet !== undefined || isUnseen || hub === undefined)
    return undefined;
  const message = `There is no Klusterlet in the cluster of context ${wec.context}, so that ${name} has no agent there.`;
  const target = `${name}=${wec.context}`;
  const note = `installs it again, if this is the cluster that joined as ${name}`;
  // A name that has joined belongs to the cluster that joined: a join proves that it is this cluster, or fails.
  return wecProblem(
    'no-klusterlet',
    message,
    hasJoined(hub)
      ? noted(command`stellarctl wec join ${target} --accept --its ${its}`, note)
      : run(command`stellarctl wec join ${target} --its ${its}`),
  );
}

/** The scheduler's message shows what the cluster lacks; a user must make room for the agent. Or its node is lost. */
function withoutNode({ wec, lostNodes = [], name: ofWec }: WecFindings): Problem | undefined {
  const nodeless = nodelessPod(wec?.pods ?? []);
  const [lost] = lostNodes;
  if (wec !== undefined && lost !== undefined)
    return wecProblem(
      'node-not-ready',
      `The operator or the agent of ${ofWec} is not ready: ${lost.why}.`,
      toSeeNode(wec.context, lost),
    );
  if (wec === undefined || nodeless === undefined) return undefined;
  const { namespace = '', name } = nodeless.pod.metadata;
  return wecProblem(
    'pod-unschedulable',
    `The ${isOperatorPod(nodeless.pod) ? 'operator' : 'agent'} cannot be scheduled: ${nodeless.problem.replace(/\.$/, '')}.`,
    run(
      command`kubectl --context ${wec.context} -n ${namespace} describe pod ${name}`,
      'Make room on a node, or add one',
    ),
  );
}

/** A joined agent whose connection was renewed sends a new request, which is never approved automatically. */
function asksAgain(findings: WecFindings): Problem | undefined {
  const { hub, now, name, its } = findings;
  if (hub === undefined || !hasJoined(hub)) return undefined;
  if (isAvailable(hub)) return anotherAsks(findings);
  const asking = bootstrapRequests(hub).findLast(
    ({ state, agent }) => state === 'pending' && agent !== undefined,
  );
  if (asking?.agent === undefined) return undefined;
  return wecProblem(
    'reregistration-pending',
    `${name} has joined and is not available, and an agent requests its name again (${formatAge(now - asking.created)} ago).`,
    noted(
      command`stellarctl accept ${name} --agent ${asking.agent.slice(0, 8)} --its ${its}`,
      `if ${name} was reinstalled or reconnected`,
    ),
  );
}

/** While the agent of a WEC reports, only the agent of another cluster has a reason to register under its name. */
function anotherAsks(findings: WecFindings): Problem | undefined {
  const { hub, now, name } = findings;
  const requests = hub === undefined ? [] : bootstrapRequests(hub);
  const ids = new Set(
    requests.flatMap(({ state, agent }) =>
      state === 'issued' && agent !== undefined ? agent : [],
    ),
  );
  const other = requests.findLast(
    ({ state, agent }) => state === 'pending' && agent !== undefined && !ids.has(agent),
  );
  if (other === undefined) return undefined;
  return wecProblem(
    'another-agent-asks',
    `${name} is registered and reports, and another agent asks for its name (${formatAge(now - other.created)} ago): that of another cluster, or a reinstalled one.`,
    advice('Register the other cluster under another name'),
  );
}

/** What a stage has found wrong, by the codes of it. */
const failedAt =
  (stage: RegistrationStageId, ...codes: readonly string[]) =>
  ({ reports, name }: WecFindings): Problem | undefined => {
    const found = reports.find(({ id }) => id === stage);
    return found?.verdict.state === 'failed' && codes.includes(found.verdict.code ?? '')
      ? problemOfStage(found as BlockedReport, name)
      : undefined;
  };

/** Its agent does not report: what it has reported before may no longer be true. */
export const agentIsSilent = failedAt('available', 'agent-silent', 'clocks-differ');

export const reportsTitle = 'its agent reports';

const problemOfStage = (
  { id, title, verdict: { code = id, why, next = [] } }: BlockedReport,
  name: string,
) => wecProblem(code, `${name} is blocked at "${title}": ${why}.`, ...next);

function anyStage({ reports, name, its, hub, context }: WecFindings): Problem | undefined {
  const blocking = blockingStage(reports);
  if (blocking === undefined) return undefined;
  const { verdict } = blocking;
  const code = verdict.code ?? blocking.id;
  if (verdict.state === 'failed') return problemOfStage(blocking, name);
  // With its context, what the ITS still reports is not enough.
  const wait = run(
    command`stellarctl wec wait ${context === undefined ? name : `${name}=${context}`} --its ${its} --timeout 5m`,
  );
  const { next = [wait] } = verdict;
  const state = hub !== undefined && hasJoined(hub) ? 'not available' : 'still registering';
  return { ...wecProblem(code, `${name} is ${state}: ${verdict.why}.`, ...next), severity: 'warn' };
}

/** The ITS counts an agent as available for five periods of its Lease after the last renewal. */
function missedRenewal(findings: WecFindings): Problem | undefined {
  const { wec, name } = findings;
  const life = agentLife(findings);
  const overdue = overdueLease(life);
  if (overdue === undefined || life.awaitsLock) return undefined;
  return wecProblem(
    'lease-overdue',
    `${name} is still shown as available, but its agent does not report: ${overdue}.`,
    wec === undefined ? toSeeCluster(findings) : agentPods(wec.context),
  );
}

/** A request for the next certificate of an agent that the hub has approved and not signed. */
function unsignedRenewal({ hub, name, its, now }: WecFindings): Problem | undefined {
  const request = hub?.requests.findLast(({ state, renewal }) => state !== 'denied' && renewal);
  const isOverdue = request?.decided !== undefined && now - request.decided > signingGraceMs;
  if (request?.state !== 'failed' && !(request?.state === 'approved' && isOverdue))
    return undefined;
  const age = formatAge(now - (request.decided ?? request.created));
  return wecProblem(
    'not-signed',
    `${its} approved the request of the agent of ${name} for its next certificate ${age} ago, but nothing there has signed it.`,
    toSign,
  );
}

/** Agents renew their certificates in the last fifth or quarter of their validity (ocm pkg/registration/register/csr). */
const renewedBefore = 0.15;

function expiringCertificate(findings: WecFindings): Problem | undefined {
  const { now, name } = findings;
  const { from, to } = validityOfAgent(findings) ?? { from: 0, to: 0 };
  const rest = to - now;
  if (rest <= 0 || rest > renewedBefore * (to - from)) return undefined;
  return wecProblem(
    'certificate-expiring',
    `The certificate of the agent of ${name} expires in ${formatAge(rest)}, and its agent has not renewed it in time.`,
    toSeeAgent(findings),
  );
}

export interface Row extends Omit<Check<WecFindings>, 'run'> {
  /** Whether there is evidence to judge. */
  sees: (findings: WecFindings) => boolean;
  /** @returns the problem, if there is one */
  find: (findings: WecFindings) => Problem | undefined;
}

const seenIf =
  (sees: Row['sees']) =>
  (id: string, title: string, find: Row['find'], needs: readonly string[] = []): Row => ({
    id: `wec-${id}`,
    title,
    sees,
    find,
    needs,
  });
export const onHub = seenIf(() => true);
/** What only the WEC shows is not visible without its context. */
export const onWec = seenIf(({ wec }) => wec !== undefined);
const ofContext = seenIf(
  ({ wec, otherCluster }) => wec !== undefined || otherCluster !== undefined,
);
const seesCertificate = seenIf(
  (findings) => findings.wec !== undefined || validityOfAgent(findings) !== undefined,
);

/** What runs on a WEC, and what its agent needs to reach the ITS. */
export const runningChecks = [
  'wec-namespaces',
  'wec-klusterlet',
  'wec-containers',
  'wec-nodes',
  'wec-agent-pods',
];
export const reaching = [...runningChecks, 'wec-certificate', 'wec-hub-connection'];

/**
 * The checks of a registration. Causes come before their effects: an agent that does not start explains a Lease that is not renewed,
 * not the other way round.
 */
export const registrationRows: readonly Row[] = [
  ofContext('context', 'its context leads to its own cluster', contextOfOtherCluster),
  onHub('not-deleted', 'it is not being deleted', beingDeleted),
  onHub('not-deregistering', 'no deregistration of it is unfinished', beingDeregistered),
  onHub('mailbox', 'its namespace on the ITS is not being deleted', endingMailbox),
  onWec('name', 'its cluster is registered under this name', registeredAsAnother),
  onWec('hub', 'its cluster is registered with this ITS', registeredElsewhere),
  onWec('namespaces', 'the namespaces of its agent are not being deleted', endingAgentNamespace),
  onWec('klusterlet', 'a Klusterlet is installed', withoutKlusterlet, ['wec-namespaces']),
  onWec(
    'containers',
    'operator and agent start',
    failedAt('klusterlet-applied', 'container-not-starting'),
  ),
  onWec('nodes', 'operator and agent have nodes that are ready', withoutNode, ['wec-namespaces']),
  onWec(
    'agent-pods',
    'operator and agent have pods',
    failedAt('klusterlet-applied', 'no-agent', 'no-operator'),
    ['wec-namespaces'],
  ),
  onWec('announced', 'the ITS has its ManagedCluster', missingManagedCluster),
  onHub('signed', 'the ITS signs the next certificate of its agent', unsignedRenewal),
  seesCertificate('certificate', "its agent's certificate is valid", expiredCertificate),
  seesCertificate('renewal', 'its agent renews its certificate in time', expiringCertificate, [
    'wec-signed',
  ]),
  onHub('one-agent', 'no other agent asks for its name', asksAgain),
  onWec('hub-connection', 'its agent reaches the ITS', cannotConnect, [
    ...runningChecks,
    'wec-name',
    'wec-hub',
    'wec-announced',
    'wec-certificate',
  ]),
  onHub('api-server', 'its API server is healthy', failedAt('available', 'api-server-unhealthy')),
  onHub('reports', reportsTitle, agentIsSilent, ['wec-not-deleted', ...reaching]),
  onHub('registered', 'its registration is complete', anyStage, [
    'wec-not-deleted',
    'wec-mailbox',
    'wec-name',
    'wec-hub',
    ...reaching,
    'wec-announced',
    'wec-signed',
    'its-hub-webhook',
    'its-bootstrap-rights',
    'wec-one-agent',
    'wec-api-server',
    'wec-reports',
  ]),
];

export const leaseRow = onHub('lease', 'its agent renews its lease', missedRenewal, [
  'wec-not-deleted',
  'wec-reports',
  ...reaching,
]);

/** The causes without the unmet stage of the registration, which callers report themselves. */
const causeRows = [...registrationRows.filter(({ find }) => find !== anyStage), leaseRow];

/**
 * The cause that blocks a WEC whose registration is followed, as in `wec get` and doctor, from the last reading. Reads nothing.
 * @param its the context of its ITS
 */
export const verdictOf = (
  { snapshot, reports }: JudgedReading<Registration>,
  its: string,
): Problem | undefined =>
  firstFound(causeRows, { ...snapshot, reports, forbidden: new Set(), its });

export function firstFound(of: readonly Row[], findings: WecFindings): Problem | undefined {
  for (const { find } of of) {
    const found = find(findings);
    if (found !== undefined) return found;
  }
  return undefined;
}
