import { command } from '../../engine/command-line.ts';
import { count } from '../../engine/counts.ts';
import { formatAge } from '../../engine/duration.ts';
import { commandOf } from '../../engine/next-step.ts';
import { blockingStage, type StageReport } from '../../engine/stages.ts';
import { conditionOf, isTrue } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import { isDeregistering } from '../deregister/labels.ts';
import { agentNamespace, operatorName, operatorNamespace } from '../names.ts';
import { clockDifference, type Registration } from '../registration/checks.ts';
import { bootstrapRequests, hasJoined } from '../registration/hub-evidence.ts';
import { overdueLease } from '../registration/lease.ts';
import { transportError } from '../registration/transport-error.ts';
import { isOperatorPod, lacksAgent, lacksOperator, podProblem } from '../registration/wec-pods.ts';
import { noStep, outline, step } from './diagnosis-step.ts';
import type { Diagnosis, Mailbox, WecSide } from './view.ts';

/** What a diagnosis is made from. */
export interface Findings {
  registration: Registration;
  reports: readonly StageReport[];
  mailbox: Mailbox | null;
  wec: WecSide | null;
  /** Kinds that may not be read on the WEC: that nothing of them was found there says nothing. */
  forbidden: ReadonlySet<string>;
  /** The context of the ITS. */
  its: string;
}

type Check = (findings: Findings, names: Names) => Diagnosis | undefined;

/** How the WEC is written in commands. */
interface Names {
  name: string;
  /** NAME=CONTEXT, where the context is known. */
  wec: string;
  /** The ITS as an option. */
  onIts: readonly string[];
}

/**
 * Says in one sentence what keeps a WEC from being available and working, and what to type. Causes come before what follows from
 * them: an agent that does not start explains a lease that has stopped, and not the other way round.
 */
export function diagnose(findings: Findings): Diagnosis | undefined {
  const { name } = findings.registration;
  const names = { name, wec: `${name}=${findings.wec?.context ?? 'CONTEXT'}`, onIts: ['--its', findings.its] };
  for (const check of checks) {
    const diagnosis = check(findings, names);
    if (diagnosis !== undefined) return diagnosis;
  }
  return undefined;
}

const checks: readonly Check[] = [
  beingDeleted,
  beingDeregistered,
  registeredAsAnother,
  withoutKlusterlet,
  stuckContainer,
  withoutAgent,
  forgottenByHub,
  silentWebhook,
  asksAnew,
  cannotConnect,
  waitsForDecision,
  silentAgent,
  anyStage,
  worksNotApplied,
  missedRenewal,
];

function beingDeleted({ registration, mailbox }: Findings, { name, onIts }: Names): Diagnosis | undefined {
  const cluster = registration.hub?.managedCluster;
  if (cluster?.metadata.deletionTimestamp === undefined) return undefined;
  const works = (mailbox?.works ?? []).reduce((sum, { count }) => sum + count, 0);
  const left = works === 0 ? '' : `; ${count(works, 'work')} ${works === 1 ? 'is' : 'are'} still in its mailbox`;
  return {
    wrong: `${name} is being deleted${left}.`,
    ...step(command`stellarctl wec wait ${name} --for delete ${onIts}`),
  };
}

function beingDeregistered({ registration, its }: Findings, { name }: Names): Diagnosis | undefined {
  const cluster = registration.hub?.managedCluster;
  if (cluster === undefined || !isDeregistering(cluster)) return undefined;
  return {
    wrong: `The deregistration of ${name} has begun and is not finished; its labels are removed.`,
    ...step(command`stellarctl deregister ${name} --its ${its}`, 'finishes it; with --undo the WEC stays'),
  };
}

function registeredAsAnother({ wec }: Findings, { name, onIts }: Names): Diagnosis | undefined {
  const other = wec?.klusterlet?.clusterName;
  if (wec === null || other === undefined || other === null || other === name) return undefined;
  return {
    wrong: `The cluster of context ${wec.context} is registered as ${other}, not as ${name}.`,
    ...step(command`stellarctl wec get ${other}=${wec.context} ${onIts}`),
  };
}

function withoutKlusterlet({ registration, wec, forbidden }: Findings, names: Names): Diagnosis | undefined {
  const isUnseen = forbidden.has(resources.klusterlets.plural);
  if (wec === null || wec.klusterlet !== null || isUnseen || registration.hub === undefined) return undefined;
  return {
    wrong: `There is no Klusterlet in the cluster of context ${wec.context}, so that ${names.name} has no agent there.`,
    // A name that has joined belongs to the cluster that joined: which of the two is wrong is for a person to say.
    ...(hasJoined(registration.hub) ? noStep : step(command`stellarctl wec join ${names.wec} ${names.onIts}`)),
  };
}

function stuckContainer({ registration: { wec, now } }: Findings): Diagnosis | undefined {
  const problem = podProblem(wec?.pods ?? [], now);
  if (wec === undefined || problem === undefined) return undefined;
  const { namespace = '', name } = problem.pod.metadata;
  return {
    wrong: `A container of the ${isOperatorPod(problem.pod) ? 'operator' : 'agent'} does not start: ${problem.why}.`,
    ...step(command`kubectl --context ${wec.context} -n ${namespace} describe pod ${name}`),
  };
}

/** Neither the lease nor the Klusterlet's conditions tell that an agent has been gone for less than some minutes. */
function withoutAgent({ registration: { wec }, its }: Findings, { name }: Names): Diagnosis | undefined {
  if (wec?.pods === undefined || !lacksAgent(wec.klusterlet, wec.pods)) return undefined;
  const applied = isTrue(wec.klusterlet, 'Applied');
  if (!applied && !lacksOperator(wec.pods)) return undefined;
  const { context } = wec;
  const where = `in the cluster of context ${context}`;
  if (!lacksOperator(wec.pods))
    return {
      wrong: `No agent of ${name} runs ${where}: it has no pod.`,
      ...step(command`kubectl --context ${context} -n ${agentNamespace} get deployments,pods`),
    };
  const isScaled = wec.operator?.spec?.replicas === 0;
  return {
    wrong: `No agent of ${name} runs ${where}: neither the operator ${operatorNamespace}/${operatorName}${isScaled ? ', which is scaled to no pods,' : ''} nor the agent has a pod.`,
    ...step(command`stellarctl wec join ${`${name}=${context}`} --accept --its ${its}`, 'starts both again'),
  };
}

/** An agent that has its certificate does not announce its ManagedCluster a second time (seen with OCM 1.3.1). */
function forgottenByHub({ registration, its }: Findings, { name }: Names): Diagnosis | undefined {
  const { hub, wec } = registration;
  if (wec?.hubSecret === undefined || hub === undefined || hub.managedCluster !== undefined) return undefined;
  return {
    wrong: `There is no ManagedCluster ${name} on ${its}, and its agent, which has its certificate, does not announce it (again).`,
    ...step(command`stellarctl wec join ${`${name}=${wec.context}`} --accept --its ${its}`, 'registers it anew'),
  };
}

/** Without it nothing about a ManagedCluster can be written, whatever else is wrong. */
function silentWebhook({ registration, its }: Findings, { name }: Names): Diagnosis | undefined {
  const { webhook, hub } = registration;
  if (webhook?.state !== 'silent') return undefined;
  const what = hub?.managedCluster === undefined ? 'be announced' : 'be accepted or labelled';
  return { wrong: `${name} cannot ${what} on ${its}: ${webhook.why}.`, ...step(commandOf(webhook.next) ?? '') };
}

/** After its connection was renewed, an agent that had joined sends a request again, which is never approved unasked. */
function asksAnew({ registration }: Findings, { name, onIts }: Names): Diagnosis | undefined {
  const { hub, now } = registration;
  if (hub === undefined || !hasJoined(hub) || isAvailable(registration)) return undefined;
  const asking = bootstrapRequests(hub).findLast(({ state, agent }) => state === 'pending' && agent !== undefined);
  if (asking?.agent === undefined) return undefined;
  return {
    wrong: `${name} has joined and is not available, and an agent asks for its name anew (${formatAge(now - asking.created)} ago).`,
    ...step(
      command`stellarctl accept ${name} --agent ${asking.agent.slice(0, 8)} ${onIts}`,
      `if ${name} was installed or connected anew`,
    ),
  };
}

/**
 * Klusterlet condition HubConnectionDegraded: what the operator sees of the hub from inside the WEC, first with the bootstrap
 * secret, then with the agent's own certificate (ocm pkg/operator, statuscontroller).
 */
function cannotConnect({ registration, its }: Findings, { name, wec, onIts }: Names): Diagnosis | undefined {
  const { hub, wec: side } = registration;
  if (side === undefined || (hub !== undefined && hasJoined(hub) && isAvailable(registration))) return undefined;
  const condition = conditionOf(side.klusterlet, 'HubConnectionDegraded');
  if (condition?.status !== 'True') return undefined;
  const [bootstrap, own] = (condition.reason ?? '').split(',');
  // An agent that joined before asks anew once its connection is renewed, and somebody has to accept that.
  const accept = hub !== undefined && hasJoined(hub) ? ['--accept'] : [];
  const join = command`stellarctl wec join ${wec} ${accept} ${onIts}`;
  const error = transportError(condition.message);
  const usesOwn = own === 'HubKubeConfigError' && side.hubSecret !== undefined;
  if (usesOwn || bootstrap === 'BootstrapSecretError') {
    if (/signed by unknown authority/.test(error))
      return {
        wrong: usesOwn
          ? `The hub's certificate authority has changed since ${name} joined.`
          : `${name} was given another certificate authority than the hub's.`,
        ...step(join, 'renews its connection'),
      };
    if (/Unauthorized/.test(error))
      return {
        wrong: `${its} no longer accepts the ${usesOwn ? 'certificate' : 'bootstrap token'} of ${name}.`,
        ...step(join, 'renews the token'),
      };
    return {
      wrong: `${name} does not reach the hub: ${error}.`,
      ...outline(`${join} --hub-apiserver https://…`, 'the address that it reaches'),
    };
  }
  if (bootstrap === 'BootstrapSecretMissing' && side.hubSecret === undefined)
    return { wrong: `The bootstrap secret of ${name} is missing, so that its agent cannot start.`, ...step(join) };
  return undefined;
}

function waitsForDecision({ registration, reports, its }: Findings, { name, onIts }: Names): Diagnosis | undefined {
  const { hub, now } = registration;
  const id = blockingStage(reports)?.id;
  if (hub === undefined || (id !== 'approved' && id !== 'accepted')) return undefined;
  const pending = bootstrapRequests(hub).filter(({ state }) => state === 'pending');
  const [first] = pending;
  if (first !== undefined) {
    const agents = new Set(pending.map(({ agent }) => agent)).size;
    const who = agents > 1 ? `${agents} agents ask to be ${name}` : `${name} asked to be registered`;
    return {
      wrong: `${who} (${formatAge(now - first.created)} ago), and nobody has accepted it.`,
      ...step(command`stellarctl accept ${name} ${onIts}`),
    };
  }
  const denied = bootstrapRequests(hub).findLast(({ state }) => state === 'denied');
  if (id === 'approved' && denied !== undefined)
    return {
      wrong: `The request of ${name} was denied.`,
      ...step(command`kubectl --context ${its} delete csr ${denied.name}`, 'its agent asks again then'),
    };
  return id === 'accepted' && hub.managedCluster?.spec?.hubAcceptsClient !== true
    ? { wrong: `${its} does not accept ${name}.`, ...step(command`stellarctl accept ${name} ${onIts}`) }
    : undefined;
}

function silentAgent({ registration, reports, wec }: Findings, { name, onIts }: Names): Diagnosis | undefined {
  const { hub, now } = registration;
  const blocking = blockingStage(reports);
  const isSilent =
    blocking?.id === 'available' &&
    conditionOf(hub?.managedCluster, 'ManagedClusterConditionAvailable')?.status === 'Unknown';
  if (!isSilent || blocking.verdict.state !== 'failed') return undefined;
  const clocksDiffer = hub && clockDifference(hub, now);
  if (clocksDiffer !== undefined) {
    return {
      wrong: `The clocks of ${name} and the ITS differ ${clocksDiffer}.`,
      ...outline('timedatectl', 'on both sides'),
    };
  }
  const wrong = `The agent of ${name} has fallen silent: ${blocking.verdict.why}.`;
  if (wec === null)
    return { wrong, ...outline(command`stellarctl wec get ${name}=CONTEXT ${onIts}`, 'what the cluster itself shows') };
  const agent = wec.pods.find(({ namespace }) => namespace === agentNamespace);
  return agent === undefined
    ? { wrong, ...step(command`kubectl --context ${wec.context} -n ${agentNamespace} get deployments,pods`) }
    : { wrong, ...step(command`kubectl --context ${wec.context} -n ${agentNamespace} logs ${agent.name}`) };
}

function anyStage({ reports }: Findings, { name, onIts }: Names): Diagnosis | undefined {
  const blocking = blockingStage(reports);
  if (blocking === undefined) return undefined;
  const { verdict, title } = blocking;
  if (verdict.state === 'failed') return { wrong: `${name} is kept from "${title}": ${verdict.why}.`, ...noStep };
  return { wrong: `${name} is on its way: ${verdict.why}.`, ...step(command`stellarctl wec wait ${name} ${onIts}`) };
}

function worksNotApplied({ mailbox, its }: Findings, { name }: Names): Diagnosis | undefined {
  const failed = (mailbox?.works ?? []).flatMap((group) => group.failed);
  const [first] = failed;
  if (first === undefined) return undefined;
  return {
    wrong: `${count(failed.length, 'work')} could not be applied on ${name}: ${first.message}.`,
    ...step(command`kubectl --context ${its} -n ${name} describe manifestwork ${first.name}`),
  };
}

/** The ITS believes in an agent for five periods of its lease after the last renewal. */
function missedRenewal({ registration: { hub, now }, wec: side, its }: Findings, names: Names): Diagnosis | undefined {
  const overdue = hub && overdueLease(hub, now);
  if (overdue === undefined) return undefined;
  const wrong = `${names.name} still counts as available, and its agent does not report: ${overdue}.`;
  if (side === null)
    return {
      wrong,
      ...outline(
        `${command`stellarctl wec get ${names.name}`}=CONTEXT ${command`--its ${its}`}`,
        'what the cluster itself shows',
      ),
    };
  return { wrong, ...step(command`kubectl --context ${side.context} -n ${agentNamespace} get deployments,pods`) };
}

function isAvailable({ hub }: Registration): boolean {
  return isTrue(hub?.managedCluster, 'ManagedClusterConditionAvailable');
}
