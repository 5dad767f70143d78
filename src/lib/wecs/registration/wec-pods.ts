import { conditionOf, type Pod } from '../../kube/objects.ts';
import { agentNamespace, operatorName, operatorNamespace } from '../names.ts';
import type { Klusterlet } from '../objects.ts';

/**
 * The label `app` of the agents' pods (ocm manifests/klusterlet/management): of mode Singleton, then of mode Default. The work agent
 * of mode Default is scaled to none until there is a certificate.
 */
const singletonApp = 'klusterlet-agent';
const registrationApp = 'klusterlet-registration-agent';
const agentApps = [singletonApp, registrationApp, 'klusterlet-manifestwork-agent'];

/** Reasons for which a container will not start by itself. */
const stuckReasons = [
  'ImagePullBackOff',
  'ErrImagePull',
  'InvalidImageName',
  'CrashLoopBackOff',
  'CreateContainerConfigError',
];

/** A container that ended often is taken to run when it has done so for this long. */
const steadyMs = 10_000;

/** A pod that does not run, and what its container says, as `CrashLoopBackOff (…)`. */
export interface PodProblem {
  pod: Pod;
  why: string;
}

const isAgentPod = ({ metadata }: Pod): boolean =>
  metadata.namespace === agentNamespace && agentApps.includes(metadata.labels?.app ?? '');

export const isOperatorPod = ({ metadata }: Pod): boolean =>
  metadata.namespace === operatorNamespace && metadata.labels?.app === operatorName;

/** What is being deleted makes way for what comes. */
const isThere = ({ metadata }: Pod): boolean => metadata.deletionTimestamp === undefined;

/**
 * The first operator or agent of which no pod runs, although there is one. Pods are newer evidence than the conditions of
 * their Deployments and of the Klusterlet.
 * @param now of the WEC's clock, milliseconds since the epoch
 */
export const podProblem = (pods: readonly Pod[], now: number): PodProblem | undefined =>
  firstProblem(pods, (pod) => whyStuck(pod, now));

/** The same of one that the scheduler finds no node for, with its words: room may still come. */
export const nodelessPod = (pods: readonly Pod[]): PodProblem | undefined => firstProblem(pods, whyNodeless);

function firstProblem(pods: readonly Pod[], why: (pod: Pod) => string | undefined): PodProblem | undefined {
  for (const app of [operatorName, ...agentApps]) {
    const own = pods.filter(
      (pod) => isThere(pod) && pod.metadata.labels?.app === app && (isAgentPod(pod) || isOperatorPod(pod)),
    );
    const problems = own.map((pod) => ({ pod, why: why(pod) }));
    if (problems.some(({ pod, why }) => why === undefined && isRunning(pod))) continue;
    const problem = problems.find((each): each is PodProblem => each.why !== undefined);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const isRunning = ({ status }: Pod): boolean =>
  status?.containerStatuses?.every(({ state }) => state?.running !== undefined) ?? false;

function whyNodeless(pod: Pod): string | undefined {
  const { status, reason, message = reason } = conditionOf(pod, 'PodScheduled') ?? {};
  return status === 'False' && reason === 'Unschedulable' ? message : undefined;
}

/** A pod that its node has thrown out, with the node's words. */
export const evictedPod = (pods: readonly Pod[]): Pod | undefined =>
  pods.find((pod) => pod.status?.reason === 'Evicted' && (isAgentPod(pod) || isOperatorPod(pod)));

/** Why a container of a pod does not run, or does so only until it ends again. */
function whyStuck({ status }: Pod, now: number): string | undefined {
  for (const { state, lastState, restartCount = 0 } of status?.containerStatuses ?? []) {
    const { reason = '', message } = state?.waiting ?? {};
    if (stuckReasons.includes(reason)) return `${reason}${message ? ` (${message})` : ''}`;
    const exitCode = lastState?.terminated?.exitCode ?? 0;
    const started = Date.parse(state?.running?.startedAt ?? '');
    // A start that lies ahead is one by another clock.
    const isSteady = state?.running !== undefined && !(now - started >= 0 && now - started < steadyMs);
    if (restartCount > 1 && exitCode !== 0 && !isSteady)
      return `CrashLoopBackOff (it ends again and again: exit ${exitCode}, restarted ${restartCount} times)`;
  }
  return undefined;
}

/**
 * The pods of the agent that registers and keeps the lease. @returns undefined where they are not among these: a hosted agent runs in
 * another cluster, and another namespace was not looked at
 */
function registrationPods(klusterlet: Klusterlet | undefined, pods: readonly Pod[] | undefined): Pod[] | undefined {
  const { deployOption, namespace = agentNamespace } = klusterlet?.spec ?? {};
  if (klusterlet === undefined || pods === undefined) return undefined;
  if (deployOption?.mode?.endsWith('Hosted') || namespace !== agentNamespace) return undefined;
  const app = deployOption?.mode === 'Singleton' ? singletonApp : registrationApp;
  return pods.filter((pod) => isThere(pod) && isAgentPod(pod) && pod.metadata.labels?.app === app);
}

/** Whether the agent has no pod at all, where it should have one. */
export const lacksAgent = (klusterlet: Klusterlet | undefined, pods: readonly Pod[] | undefined): boolean =>
  registrationPods(klusterlet, pods)?.length === 0;

/** A pod of the agent, where none of them runs yet. */
export function startingAgent(klusterlet: Klusterlet | undefined, pods: readonly Pod[] | undefined): Pod | undefined {
  const own = registrationPods(klusterlet, pods) ?? [];
  return own.some(isRunning) ? undefined : own[0];
}

/** When the agent that has run for the longest was started, milliseconds since the epoch of its node; undefined where that does not show. */
export function agentStarted(klusterlet: Klusterlet | undefined, pods: readonly Pod[] | undefined): number | undefined {
  const starts = (registrationPods(klusterlet, pods) ?? [])
    .flatMap(({ status }) => status?.containerStatuses ?? [])
    .map(({ state }) => Date.parse(state?.running?.startedAt ?? ''))
    .filter((start) => !Number.isNaN(start));
  return starts.length === 0 ? undefined : Math.min(...starts);
}

/** Whether no pod of the operator is there. */
export const lacksOperator = (pods: readonly Pod[]): boolean => !pods.some((pod) => isThere(pod) && isOperatorPod(pod));

/** Pods of the operator and of agents that do not run: their kubelets try again only after minutes. */
export const stuckPodsOf = (pods: readonly Pod[] | undefined, now: number): Pod[] =>
  (pods ?? []).filter(
    (pod) => isThere(pod) && (isAgentPod(pod) || isOperatorPod(pod)) && whyStuck(pod, now) !== undefined,
  );

/** Pods of agents, those that make way for others left out. */
export const agentPodsOf = (pods: readonly Pod[] | undefined): Pod[] =>
  (pods ?? []).filter((pod) => isAgentPod(pod) && isThere(pod));
