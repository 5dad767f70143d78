import { partialReader } from '../../kube/access.ts';
import type { Reader } from '../../kube/client/client.ts';
import { missing, shownList } from '../../kube/client/missing.ts';
import {
  type Deployment,
  isLiving,
  type Pod,
  resources,
  type Secret,
} from '../../kube/client/objects.ts';
import { podFailure, whyNodeless } from '../../kube/pods.ts';
import type { Proved, Proving } from '../../kube/served.ts';
import {
  agentNamespace,
  bootstrapSecretName,
  hubSecretName,
  klusterletName,
  operatorName,
  operatorNamespace,
} from '../model/ocm-names.ts';
import type { Klusterlet } from '../model/ocm-objects.ts';

/** What a WEC shows of its side of the registration at one moment. */
export interface WecEvidence {
  /** The WEC's context, for commands in hints. */
  context: string;
  klusterlet: Klusterlet | undefined;
  bootstrapSecret: Secret | undefined;
  hubSecret: Secret | undefined;
  operator: Deployment | undefined;
  /** Pods of the operator's and the agents' namespaces; undefined if this user may not read them. */
  pods: Pod[] | undefined;
}

export const readKlusterlet = (wec: Pick<Reader, 'get'>) =>
  wec.get<Klusterlet>(resources.klusterlets, klusterletName);

export const readOperator = (wec: Reader) =>
  wec.get<Deployment>(resources.deployments, operatorName, { namespace: operatorNamespace });

export function readWec(kube: Proving): Promise<Proved<WecEvidence>>;
export function readWec(kube: Reader): Promise<WecEvidence>;
export async function readWec(kube: Reader): Promise<WecEvidence> {
  // A user who may not read pods still gets the rest.
  const podReader = partialReader(kube);
  const [klusterlet, bootstrapSecret, hubSecret, operator, ...pods] = await Promise.all([
    readKlusterlet(kube),
    kube.get<Secret>(resources.secrets, bootstrapSecretName, { namespace: agentNamespace }),
    kube.get<Secret>(resources.secrets, hubSecretName, { namespace: agentNamespace }),
    readOperator(kube),
    podReader.list<Pod>(resources.pods, { namespace: operatorNamespace }),
    podReader.list<Pod>(resources.pods, { namespace: agentNamespace }),
  ]);
  const { context } = kube.cluster;
  const visiblePods = pods.some((list) => list === missing) ? undefined : pods.flatMap(shownList);
  return { context, klusterlet, bootstrapSecret, hubSecret, operator, pods: visiblePods };
}

/**
 * The name that a cluster is registered under, if it is not the WEC's. It is only the cluster's own claim; a Klusterlet without a
 * name claims none.
 */
export function otherName(klusterlet: Klusterlet | undefined, name: string): string | undefined {
  const registered = klusterlet?.spec?.clusterName;
  return registered === name ? undefined : registered || undefined;
}

/** In Singleton mode the agent's id is the Klusterlet's UID (ocm pkg/operator); otherwise it is random and unknown. */
export function singletonAgentId(klusterlet: Klusterlet): string | undefined {
  return klusterlet.spec?.deployOption?.mode === 'Singleton' ? klusterlet.metadata.uid : undefined;
}

/**
 * The label `app` of the agents' pods (ocm manifests/klusterlet/management): of mode Singleton, then of mode Default. The work
 * agent of mode Default is scaled to zero until there is a certificate.
 */
const singletonApp = 'klusterlet-agent';
const registrationApp = 'klusterlet-registration-agent';
const agentApps = [singletonApp, registrationApp, 'klusterlet-manifestwork-agent'];

const isAgentPod = ({ metadata }: Pod) =>
  metadata.namespace === agentNamespace && agentApps.includes(metadata.labels?.app ?? '');

export const isOperatorPod = ({ metadata }: Pod) =>
  metadata.namespace === operatorNamespace && metadata.labels?.app === operatorName;

/**
 * The first operator or agent that has pods, none of them running. Pods are newer evidence than the conditions of their Deployments
 * and of the Klusterlet.
 */
export const agentFailure = (pods: readonly Pod[]) => firstProblem(pods, podFailure)?.problem;

/** The first operator or agent without a node, with the scheduler's message: a node may still become available. */
export const nodelessPod = (pods: readonly Pod[]) => firstProblem(pods, whyNodeless);

function firstProblem<Found>(pods: readonly Pod[], problemOf: (pod: Pod) => Found | undefined) {
  for (const app of [operatorName, ...agentApps]) {
    const podsOfAgent = pods.filter(
      (pod) =>
        isLiving(pod) &&
        pod.metadata.labels?.app === app &&
        (isAgentPod(pod) || isOperatorPod(pod)),
    );
    const judged = podsOfAgent.map((pod) => ({ pod, problem: problemOf(pod) }));
    if (judged.some(({ pod, problem }) => problem === undefined && hasStarted(pod))) continue;
    for (const { pod, problem } of judged) if (problem !== undefined) return { pod, problem };
  }
  return undefined;
}

/** Whether all its containers run, ready or not. */
const hasStarted = ({ status }: Pod) =>
  status?.containerStatuses?.every(({ state }) => state?.running !== undefined) ?? false;

/** What shows whether an agent runs. */
export type AgentSide = Pick<WecEvidence, 'klusterlet' | 'pods'>;

/**
 * The pods of the agent that registers and renews the Lease.
 * @returns undefined if these do not include them: a hosted agent runs in another cluster, and other namespaces were not read
 */
function registrationPods({ klusterlet, pods }: AgentSide): Pod[] | undefined {
  const { deployOption, namespace = agentNamespace } = klusterlet?.spec ?? {};
  if (klusterlet === undefined || pods === undefined) return undefined;
  if (deployOption?.mode?.endsWith('Hosted') || namespace !== agentNamespace) return undefined;
  const app = deployOption?.mode === 'Singleton' ? singletonApp : registrationApp;
  return pods.filter((pod) => isLiving(pod) && isAgentPod(pod) && pod.metadata.labels?.app === app);
}

/** Whether the agent should have a pod and has none. */
export const lacksAgent = (wec: AgentSide) => registrationPods(wec)?.length === 0;

/** Whether the operator and the agent run, as far as their pods may be seen. */
export const hasRunningPods = (wec: AgentSide) =>
  wec.pods === undefined ||
  (wec.pods.some((pod) => isLiving(pod) && isOperatorPod(pod) && hasStarted(pod)) &&
    registrationPods(wec)?.some(hasStarted) !== false);

/** A pod of the agent while none of them runs. */
export function startingAgent(wec: AgentSide): Pod | undefined {
  const agentPods = registrationPods(wec) ?? [];
  return agentPods.some(hasStarted) ? undefined : agentPods[0];
}

/** When the longest-running agent started, milliseconds since the epoch of its node; undefined if that does not show. */
export function agentStarted(wec: AgentSide): number | undefined {
  const starts = (registrationPods(wec) ?? [])
    .flatMap(({ status }) => status?.containerStatuses ?? [])
    .map(({ state }) => Date.parse(state?.running?.startedAt ?? ''))
    .filter((start) => !Number.isNaN(start));
  return starts.length === 0 ? undefined : Math.min(...starts);
}

/** Whether the operator has no pod. */
export const lacksOperator = (pods: readonly Pod[]) =>
  !pods.some((pod) => isLiving(pod) && isOperatorPod(pod));

/** Pods of the operator and of agents that do not run: their kubelets retry only after minutes. */
export const stuckPodsOf = (pods: readonly Pod[] | undefined): Pod[] =>
  (pods ?? []).filter(
    (pod) => (isAgentPod(pod) || isOperatorPod(pod)) && podFailure(pod) !== undefined,
  );

/** Pods of agents, without those that are being deleted. */
export const agentPodsOf = (pods: readonly Pod[] | undefined): Pod[] =>
  (pods ?? []).filter((pod) => isAgentPod(pod) && isLiving(pod));
