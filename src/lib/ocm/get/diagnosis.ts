import { formatAge } from '../../duration.ts';
import { conditionOf, isTrue } from '../../kube/objects.ts';
import { blockingStage, type StageReport } from '../../stages.ts';
import { bootstrapRequests, hasJoined } from '../hub-evidence.ts';
import { agentNamespace } from '../names.ts';
import { type Registration, transportError } from '../registration-stages.ts';
import type { Diagnosis, Mailbox, WecSide } from './view.ts';

/** What a diagnosis is made from. */
export interface Findings {
  registration: Registration;
  reports: readonly StageReport[];
  mailbox: Mailbox | null;
  wec: WecSide | null;
  /** The context of the ITS. */
  its: string;
}

type Step = Pick<Diagnosis, 'hint' | 'next'>;

/** A command that helps as it is. @param note what it does, or when it is right, where that does not go without saying */
const step = (command: string, note?: string): Step => ({ hint: withNote(command, note), next: command });

/** A command in which a person has to fill something in, or that is for another machine. */
const outline = (command: string, note: string): Step => ({ hint: withNote(command, note), next: null });

/** What is to be done is for a person to say. */
const noStep: Step = { hint: null, next: null };

const withNote = (command: string, note: string | undefined): string =>
  note === undefined ? command : `${command}      (${note})`;

type Check = (findings: Findings, names: Names) => Diagnosis | undefined;

/** How the WEC is written in commands. */
interface Names {
  name: string;
  /** NAME=CONTEXT, where the context is known. */
  wec: string;
  onIts: string;
}

/**
 * Says in one sentence what keeps a WEC from being available and working, and what to type. Causes come before what follows from
 * them: an agent that does not start explains a lease that has stopped, and not the other way round.
 */
export function diagnose(findings: Findings): Diagnosis | undefined {
  const { name } = findings.registration;
  const context = findings.wec?.context;
  const names = {
    name,
    wec: context === undefined ? `${name}=CONTEXT` : `${name}=${context}`,
    onIts: `--its ${findings.its}`,
  };
  for (const check of checks) {
    const diagnosis = check(findings, names);
    if (diagnosis !== undefined) return diagnosis;
  }
  return undefined;
}

const checks: readonly Check[] = [
  beingDeleted,
  registeredAsAnother,
  withoutKlusterlet,
  stuckContainer,
  forgottenByHub,
  asksAnew,
  cannotConnect,
  waitsForDecision,
  silentAgent,
  anyStage,
  worksNotApplied,
];

function beingDeleted({ registration, mailbox }: Findings, { name, onIts }: Names): Diagnosis | undefined {
  const cluster = registration.hub?.managedCluster;
  if (cluster?.metadata.deletionTimestamp === undefined) return undefined;
  const works = (mailbox?.works ?? []).reduce((sum, { count }) => sum + count, 0);
  const left = works === 0 ? '' : `; ${count(works, 'work')} ${works === 1 ? 'is' : 'are'} still in its mailbox`;
  return { wrong: `${name} is being deleted${left}.`, ...step(`stellarctl wec wait ${name} --for delete ${onIts}`) };
}

function registeredAsAnother({ wec }: Findings, { name, onIts }: Names): Diagnosis | undefined {
  const other = wec?.klusterlet?.clusterName;
  if (wec === null || other === undefined || other === null || other === name) return undefined;
  return {
    wrong: `The cluster of context ${wec.context} is registered as ${other}, not as ${name}.`,
    ...step(`stellarctl wec get ${other}=${wec.context} ${onIts}`),
  };
}

function withoutKlusterlet({ registration, wec, reports }: Findings, names: Names): Diagnosis | undefined {
  const isUnseen = reports.some(({ id, verdict }) => id === 'klusterlet-applied' && verdict.state === 'unseen');
  if (wec === null || wec.klusterlet !== null || isUnseen || registration.hub === undefined) return undefined;
  return {
    wrong: `There is no Klusterlet in the cluster of context ${wec.context}, so that ${names.name} has no agent there.`,
    // A name that has joined belongs to the cluster that joined: which of the two is wrong is for a person to say.
    ...(hasJoined(registration.hub) ? noStep : step(`stellarctl wec join ${names.wec} ${names.onIts}`)),
  };
}

function stuckContainer({ wec, registration }: Findings, _names: Names): Diagnosis | undefined {
  const isStuck = (registration.wec?.stuckContainers.length ?? 0) > 0;
  const pod = wec?.pods.find(({ stuck, ready }) => stuck !== null && !ready);
  if (wec === null || !isStuck || pod === undefined) return undefined;
  return {
    wrong: `A container of the ${pod.namespace === agentNamespace ? 'agent' : 'operator'} does not start: ${pod.stuck}.`,
    ...step(`kubectl --context ${wec.context} -n ${pod.namespace} describe pod ${pod.name}`),
  };
}

/** An agent whose certificate is valid does not announce its ManagedCluster a second time (seen with OCM 1.3.1). */
function forgottenByHub({ registration, wec: side, its }: Findings, { name }: Names): Diagnosis | undefined {
  const { hub, wec } = registration;
  if (wec?.hubSecret === undefined || hub === undefined || hub.managedCluster !== undefined) return undefined;
  const { reason = '' } = conditionOf(wec.klusterlet, 'HubConnectionDegraded') ?? {};
  if (!reason.endsWith('HubKubeConfigUnauthorized')) return undefined;
  return {
    wrong: `There is no ManagedCluster ${name} on ${its}, and its agent, which has its certificate, does not announce it (again).`,
    ...step(`stellarctl deregister --local ${name} --wec-context ${side?.context}`, 'then join it again'),
  };
}

/** After its connection was renewed, an agent that had joined sends a request again, which is never approved unasked. */
function asksAnew({ registration }: Findings, { name, onIts }: Names): Diagnosis | undefined {
  const { hub, now } = registration;
  if (hub === undefined || !hasJoined(hub) || isAvailable(registration)) return undefined;
  const asking = bootstrapRequests(hub).findLast(({ state, agent }) => state === 'pending' && agent !== undefined);
  if (asking === undefined) return undefined;
  return {
    wrong: `${name} has joined and is not available, and an agent asks for its name anew (${formatAge(now - asking.created)} ago).`,
    ...step(
      `stellarctl accept ${name} --agent ${asking.agent?.slice(0, 8)} ${onIts}`,
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
  const accept = hub !== undefined && hasJoined(hub) ? ' --accept' : '';
  const join = `stellarctl wec join ${wec}${accept} ${onIts}`;
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
      ...step(`stellarctl accept ${name} ${onIts}`),
    };
  }
  const denied = bootstrapRequests(hub).findLast(({ state }) => state === 'denied');
  if (id === 'approved' && denied !== undefined)
    return {
      wrong: `The request of ${name} was denied.`,
      ...step(`kubectl --context ${its} delete csr ${denied.name}`, 'its agent asks again then'),
    };
  return id === 'accepted' && hub.managedCluster?.spec?.hubAcceptsClient !== true
    ? { wrong: `${its} does not accept ${name}.`, ...step(`stellarctl accept ${name} ${onIts}`) }
    : undefined;
}

function silentAgent({ registration, reports, wec }: Findings, { name, onIts }: Names): Diagnosis | undefined {
  const blocking = blockingStage(reports);
  const isSilent =
    blocking?.id === 'available' &&
    conditionOf(registration.hub?.managedCluster, 'ManagedClusterConditionAvailable')?.status === 'Unknown';
  if (!isSilent || blocking.verdict.state !== 'failed') return undefined;
  if (blocking.verdict.why.startsWith('the clocks')) {
    return {
      wrong: `${blocking.verdict.why.replace('the clocks of the cluster', `The clocks of ${name}`)}.`,
      ...outline('timedatectl', 'on both sides'),
    };
  }
  const wrong = `The agent of ${name} has fallen silent: ${blocking.verdict.why}.`;
  if (wec === null)
    return { wrong, ...outline(`stellarctl wec get ${name}=CONTEXT ${onIts}`, 'what the cluster itself shows') };
  const agent = wec.pods.find(({ namespace }) => namespace === agentNamespace);
  return agent === undefined
    ? {
        wrong: `No agent runs in the cluster of context ${wec.context}: ${blocking.verdict.why}.`,
        ...step(`kubectl --context ${wec.context} -n ${agentNamespace} get deployments,pods`),
      }
    : { wrong, ...step(`kubectl --context ${wec.context} -n ${agentNamespace} logs ${agent.name}`) };
}

function anyStage({ reports }: Findings, { name, onIts }: Names): Diagnosis | undefined {
  const blocking = blockingStage(reports);
  if (blocking === undefined || blocking.verdict.state === 'met') return undefined;
  const { verdict, title } = blocking;
  if (verdict.state === 'failed') return { wrong: `${name} is kept from "${title}": ${verdict.why}.`, ...noStep };
  return { wrong: `${name} is on its way: ${verdict.why}.`, ...step(`stellarctl wec wait ${name} ${onIts}`) };
}

function worksNotApplied({ mailbox, its }: Findings, { name }: Names): Diagnosis | undefined {
  const failed = (mailbox?.works ?? []).flatMap((group) => group.failed);
  const [first] = failed;
  if (first === undefined) return undefined;
  return {
    wrong: `${count(failed.length, 'work')} could not be applied on ${name}: ${first.message}.`,
    ...step(`kubectl --context ${its} -n ${name} describe manifestwork ${first.name}`),
  };
}

function isAvailable({ hub }: Registration): boolean {
  return isTrue(hub?.managedCluster, 'ManagedClusterConditionAvailable');
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
