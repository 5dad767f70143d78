import { formatAge } from '../core/deadline.ts';
import { advice, command, type NextStep, run } from '../core/next-step.ts';
import { failed, met, type Verdict, waiting } from '../core/stages.ts';
import type { Kube } from './client/client.ts';
import {
  conditionOf,
  type Deployment,
  isLiving,
  isTrue,
  type Job,
  type KubeObject,
  type ObjectMeta,
  type Pod,
  type StatefulSet,
} from './client/objects.ts';

/** The containers of a pod or of a template, which a merge patch replaces as a whole. */
export interface Containers {
  containers: NonNullable<NonNullable<Pod['spec']>['containers']>;
  initContainers?: NonNullable<NonNullable<Pod['spec']>['initContainers']>;
}

/** Why a pod does not run, if the reason does not pass by itself. */
export interface PodFailure {
  pod: ObjectMeta;
  /** Empty if the pod as a whole does not run. */
  container: string;
  kind: 'image' | 'start' | 'crash' | 'exit';
  /** A statement for people: the problem, and its reason. */
  why: string;
}

/** Waiting reasons of the kubelet for image problems (kubernetes pkg/kubelet/images/types.go). */
const imageReasons = [
  'ImagePullBackOff',
  'ErrImagePull',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
];
const configReasons = ['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'];

/** The exit code of SIGKILL: by a probe that fails, or for its memory. The kubelet says which. */
const killed = 137;

/** The reason that the kubelet reports for a pod that does not run. @returns undefined if it reports none */
export function podFailure(pod: Pod): PodFailure | undefined {
  // Its replacement is checked separately.
  if (!isLiving(pod)) return undefined;
  const evicted = evictionOf(pod);
  if (evicted !== undefined) return evicted;
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const images = new Map(
    [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(
      ({ name, image }) => [name, image],
    ),
  );
  for (const { name, state, lastState, ready, restartCount = 0 } of [
    ...initContainerStatuses,
    ...containerStatuses,
  ]) {
    const failure = (kind: PodFailure['kind'], why: string): PodFailure => ({
      pod: pod.metadata,
      container: name,
      kind,
      why: `pod ${pod.metadata.name}, container ${name}: ${why}`,
    });
    const { reason = '', message } = state?.waiting ?? {};
    if (imageReasons.includes(reason))
      return failure('image', `the image ${images.get(name) ?? ''} cannot be pulled (${reason})`);
    if (configReasons.includes(reason))
      return failure('start', `${reason}${message ? `: ${message}` : ''}`);
    const { exitCode = 0 } = lastState?.terminated ?? {};
    const [kind, ends] =
      exitCode === killed ? (['start', 'being killed'] as const) : (['crash', 'crashing'] as const);
    // Between two crashes it runs. Its first start may have been too early.
    const isBetween = state?.running !== undefined && ready === false && exitCode !== 0;
    if ((reason === 'CrashLoopBackOff' || isBetween) && restartCount > 1)
      return failure(kind, `it keeps ${ends} (exit ${exitCode}, restarted ${restartCount} times)`);
    const ended = state?.terminated;
    if (ended !== undefined && ended.exitCode !== 0 && pod.status?.phase === 'Failed')
      return failure('exit', `exit ${ended.exitCode}`);
  }
  return undefined;
}

/** A pod that its kubelet has removed, for instance because its node lacks memory or disk (kubernetes pkg/kubelet/eviction). */
function evictionOf({ metadata, status }: Pod): PodFailure | undefined {
  const { phase, reason, message = '' } = status ?? {};
  if (phase !== 'Failed' || reason !== 'Evicted') return undefined;
  const why = `pod ${metadata.name} was evicted: ${message.trim().replace(/\.$/, '')}`;
  return { pod: metadata, container: '', kind: 'start', why };
}

/**
 * The command that shows more of a failure: the log of a container that ends, else what its kubelet says. An image that has come meanwhile
 * needs no command: to delete the pod of a controller of KubeStellar would remove workloads.
 */
export function toSeePod(
  context: string,
  { pod: { name, namespace = '' }, container, kind }: PodFailure,
): NextStep[] {
  const log = ['logs', name, '-c', container, ...(kind === 'crash' ? ['--previous'] : [])];
  const words = kind === 'crash' || kind === 'exit' ? log : ['describe', 'pod', name];
  const see = run(
    command`kubectl --context ${context} -n ${namespace} ${words}`,
    'Correct what its last state shows',
  );
  const again = advice('Once the image is there, the kubelet pulls it by itself within 5 minutes');
  return kind === 'image' ? [see, again] : [see];
}

/** Why a pod waits for a node, in the same form: capacity may still appear, so it is not a failure. */
export function waitsForNode(pod: Pod): PodFailure | undefined {
  const nodeless = whyNodeless(pod);
  if (nodeless === undefined) return undefined;
  return {
    pod: pod.metadata,
    container: '',
    kind: 'start',
    why: `pod ${pod.metadata.name} cannot be scheduled: ${nodeless}`,
  };
}

/** The scheduler's reason. */
export function whyNodeless(pod: Pod): string | undefined {
  const { status, reason, message = reason } = conditionOf(pod, 'PodScheduled') ?? {};
  return status === 'False' && reason === 'Unschedulable' ? message : undefined;
}

/** The cluster of pods, by its context, and the time there. */
interface PodCluster {
  context: string;
  now: number;
}

/** The time that an init container usually needs at most; what it waits for may still be created. */
const initMs = 120_000;

/** The verdict on pods that have not failed and are not ready. @param otherwise what it says if the pods show nothing */
export function starting(otherwise: string, pods: readonly Pod[], cluster: PodCluster): Verdict {
  for (const pod of pods) {
    const nodeless = waitsForNode(pod);
    if (nodeless !== undefined) return waiting(nodeless.why);
    const overdue = overdueInit(pod, cluster);
    if (overdue !== undefined) return overdue;
  }
  return waiting(otherwise);
}

/** An init container waits for something, and only its log says for what. */
function overdueInit(
  { metadata, spec, status }: Pod,
  { context, now }: PodCluster,
): Verdict | undefined {
  if (metadata.deletionTimestamp !== undefined) return undefined;
  const { name: pod, namespace = '' } = metadata;
  for (const { name, state } of status?.initContainerStatuses ?? []) {
    const age = now - Date.parse(state?.running?.startedAt ?? '');
    // A sidecar runs as long as its pod.
    const isSidecar = spec?.initContainers?.some(
      (each) => each.name === name && each.restartPolicy === 'Always',
    );
    if (!(age > initMs) || isSidecar) continue;
    return waiting(`init container ${name} of pod ${pod} has not completed for ${formatAge(age)}`, {
      next: [
        run(
          command`kubectl --context ${context} -n ${namespace} logs ${pod} -c ${name}`,
          'Its log says why',
        ),
      ],
    });
  }
  return undefined;
}

/** The pods of an owner, directly or through a ReplicaSet, selected by name: `<owner>-…`. */
export function podsOf(owner: string, pods: readonly Pod[]): Pod[] {
  return pods.filter(({ metadata }) => metadata.name.startsWith(`${owner}-`));
}

/** The first trouble among pods. An evicted pod stays beside the one that has replaced it. */
export function firstPodFailure(pods: readonly Pod[]): PodFailure | undefined {
  const failures = pods.flatMap((pod) => podFailure(pod) ?? []);
  return failures.find(({ container }) => container !== '') ?? failures[0];
}

/** How Go programs begin to say why they end, and klog: the stack follows. */
const lastWords = /^(?:panic|fatal error): |^F\d{4} /;

/** The log lines of a container in trouble that say why it ends, else the last ones; none if the log cannot be read, which is not a further problem. */
export async function failureLog(
  kube: Pick<Kube, 'logTail'>,
  { pod, container, kind }: PodFailure,
): Promise<string[]> {
  const read = (previous: boolean) =>
    kube.logTail(pod, container, { lines: 200, previous }).catch(() => undefined);
  const lines = (kind === 'crash' ? await read(true) : undefined) ?? (await read(false)) ?? [];
  const end = lines.findIndex((line) => lastWords.test(line));
  return lines.slice(end < 0 ? -5 : end).slice(0, 5);
}

/** Whether a pod does its work: one that is being deleted, or is not ready, does not. */
export const isRunning = (pod: Pod) =>
  isLiving(pod) && pod.status?.phase === 'Running' && isTrue(pod, 'Ready');

/** Whether a container of a pod has ever run. */
export const hasStarted = ({ status }: Pod): boolean =>
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].some(
    ({ state, lastState, restartCount = 0 }) =>
      [state?.running, state?.terminated, lastState?.terminated].some(Boolean) || restartCount > 0,
  );

export const isPodReady = (pod: Pod) => isTrue(pod, 'Ready') || pod.status?.phase === 'Succeeded';

/** Whether the controller of an object has read it as it is; true if there is none. */
export const isRead = (
  object: (KubeObject & { status?: { observedGeneration?: number } }) | undefined,
) => (object?.status?.observedGeneration ?? 0) >= (object?.metadata.generation ?? 0);

/**
 * Whether all desired pods are ready, and are of the present template: pods of an earlier one stay until their successors are
 * ready. A Deployment scaled to 0 is never ready, whatever its status says.
 */
export function isDeploymentReady(deployment: Deployment | undefined): boolean {
  if (deployment === undefined) return false;
  const { updatedReplicas = 0, replicas = 0 } = deployment.status ?? {};
  return (
    isRead(deployment) &&
    updatedReplicas >= Math.max(replicas, wantedReplicas(deployment)) &&
    areReady(deployment)
  );
}

/** The same for a StatefulSet. */
export function isStatefulSetReady(set: StatefulSet | undefined): boolean {
  return set !== undefined && areReady(set);
}

const areReady = (workload: Deployment | StatefulSet) =>
  !isScaledToNone(workload) && (workload.status?.readyReplicas ?? 0) >= wantedReplicas(workload);

const wantedReplicas = ({ spec }: Deployment | StatefulSet) => spec?.replicas ?? 1;

/** Why a Deployment has no pods, if its API server refuses them: a quota, a LimitRange, PodSecurity, a webhook. */
export function refusedPods(deployment: Deployment | StatefulSet | undefined): string | undefined {
  const { status, message } = conditionOf(deployment, 'ReplicaFailure') ?? {};
  return status === 'True' ? `its pods are refused: ${message}` : undefined;
}

/** What shows the quotas, limits and PodSecurity labels by which pods are refused. */
export const toSeeLimits = (context: string, namespace: string) =>
  run(
    command`kubectl --context ${context} describe namespace ${namespace}`,
    'See its limits and labels',
  );

/** Whether it is scaled to 0. */
export const isScaledToNone = ({ spec }: Deployment | StatefulSet) => spec?.replicas === 0;

/** The command that scales a workload up again. @param kind as kubectl takes it */
export const scaleUp = (context: string, namespace: string, kind: string, name: string) =>
  command`kubectl --context ${context} -n ${namespace} scale ${kind} ${name} --replicas 1`;

/**
 * The verdict on a Deployment or StatefulSet whose pods are to be ready.
 * @param what its program, as a subject: `its API server`
 */
export function running(
  what: string,
  {
    kind,
    present,
    pods,
  }: { kind: string; present: Deployment | StatefulSet; pods: readonly Pod[] },
  cluster: PodCluster & { namespace: string },
): Verdict {
  const { context, namespace } = cluster;
  const { name } = present.metadata;
  const scale = run(scaleUp(context, namespace, kind.toLowerCase(), name), 'Scale it up');
  if (isScaledToNone(present))
    return failed(`${kind} ${name} is scaled to zero`, { next: [scale] });
  if (kind === 'Deployment' ? isDeploymentReady(present) : isStatefulSetReady(present)) return met;
  const failure = firstPodFailure(pods);
  if (failure !== undefined)
    return failed(`${what} does not start: ${failure.why}`, { next: toSeePod(context, failure) });
  const refused = refusedPods(present);
  if (refused === undefined) return starting(`${what} is starting`, pods, cluster);
  return failed(`${what} does not start: ${refused}`, { next: [toSeeLimits(context, namespace)] });
}

export function jobState(job: Job): 'running' | 'complete' | 'failed' {
  if ((job.status?.succeeded ?? 0) > 0) return 'complete';
  return isTrue(job, 'Failed') ? 'failed' : 'running';
}
