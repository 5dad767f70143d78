import { command } from '../engine/command-line.ts';
import type { Reader } from './client/client.ts';
import {
  conditionOf,
  type Deployment,
  isTrue,
  type Job,
  type ObjectMeta,
  type Pod,
  type StatefulSet,
} from './objects.ts';

/** Why a pod does not come up, where that will not pass by itself. */
export interface PodTrouble {
  pod: ObjectMeta;
  container: string;
  kind: 'image' | 'crash' | 'config' | 'exit';
  /** A statement for people: what, and why. */
  why: string;
  /** Whether the log to look at is that of the run before. */
  previousLog: boolean;
}

/** As much of a client as looking into pods takes. */
export type LogReader = Reader & { logTail: (...parameters: LogTailParameters) => Promise<string[] | undefined> };
type LogTailParameters = [pod: ObjectMeta, container: string, options: { lines: number; previous?: boolean }];

/** Reasons of waiting containers that the kubelet gives for images (kubernetes pkg/kubelet/images/types.go). */
const imageReasons = ['ImagePullBackOff', 'ErrImagePull', 'InvalidImageName', 'ErrImageNeverPull', 'ImageInspectError'];
const configReasons = ['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'];

/** How often a container may restart before it counts as one that always does: the first start may have come too early. */
const restartsAllowed = 1;

/** What keeps a pod from running, as its kubelet reports it. @returns undefined while nothing speaks against it */
export function podTrouble(pod: Pod): PodTrouble | undefined {
  // What it makes way for is looked at by itself.
  if (pod.metadata.deletionTimestamp !== undefined) return undefined;
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const images = new Map(
    [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(({ name, image }) => [name, image]),
  );
  for (const { name, state, lastState, restartCount = 0 } of [...initContainerStatuses, ...containerStatuses]) {
    const trouble = (kind: PodTrouble['kind'], why: string, previousLog = false): PodTrouble => ({
      pod: pod.metadata,
      container: name,
      kind,
      why: `pod ${pod.metadata.name}, container ${name}: ${why}`,
      previousLog,
    });
    const { reason = '', message } = state?.waiting ?? {};
    if (imageReasons.includes(reason))
      return trouble('image', `the image ${images.get(name) ?? ''} cannot be pulled (${reason})`);
    if (configReasons.includes(reason)) return trouble('config', `${reason}${message ? `: ${message}` : ''}`);
    if (reason === 'CrashLoopBackOff' && restartCount > restartsAllowed) {
      const exit = lastState?.terminated?.exitCode;
      const times = `restarted ${restartCount} times`;
      return trouble('crash', `it keeps crashing (${exit === undefined ? times : `exit ${exit}, ${times}`})`, true);
    }
    const ended = state?.terminated;
    if (ended !== undefined && ended.exitCode !== 0 && pod.status?.phase === 'Failed')
      return trouble('exit', `exit ${ended.exitCode}`);
  }
  return undefined;
}

/** What pods that have no node yet wait for, as the scheduler says it: room may still come, so that it is no trouble. */
export function waitsForNode(pods: readonly Pod[]): string | undefined {
  for (const pod of pods) {
    const { status, reason, message = reason } = conditionOf(pod, 'PodScheduled') ?? {};
    if (status === 'False' && reason === 'Unschedulable')
      return `pod ${pod.metadata.name} cannot be scheduled: ${message}`;
  }
  return undefined;
}

/** The pods that an owner has made, directly or through a ReplicaSet, told by their names: `<owner>-…`. */
export function podsOf(owner: string, pods: readonly Pod[]): Pod[] {
  return pods.filter(({ metadata }) => metadata.name.startsWith(`${owner}-`));
}

/** The first trouble among pods. */
export function firstTrouble(pods: readonly Pod[]): PodTrouble | undefined {
  return pods.map(podTrouble).find((trouble) => trouble !== undefined);
}

/** The last lines that a container in trouble has written; none where they cannot be read, which is no further trouble. */
export async function logOfTrouble(kube: LogReader, { pod, container, previousLog }: PodTrouble): Promise<string[]> {
  const read = (previous: boolean) =>
    kube.logTail(pod, container, { lines: 5, previous }).catch((): undefined => undefined);
  const lines = (previousLog ? await read(true) : undefined) ?? (await read(false));
  return lines ?? [];
}

export function isPodReady(pod: Pod): boolean {
  return isTrue(pod, 'Ready') || pod.status?.phase === 'Succeeded';
}

/** All the pods that it wants are ready. One that wants none runs nothing, whatever it says. */
export function isDeploymentReady(deployment: Deployment | undefined): boolean {
  return deployment !== undefined && areReady(deployment);
}

/** The same of a StatefulSet. */
export function isStatefulSetReady(set: StatefulSet | undefined): boolean {
  return set !== undefined && areReady(set);
}

const areReady = (workload: Deployment | StatefulSet): boolean =>
  !isScaledToNone(workload) && (workload.status?.readyReplicas ?? 0) >= (workload.spec?.replicas ?? 1);

/** Somebody has told it to run no pods. */
export const isScaledToNone = ({ spec }: Deployment | StatefulSet): boolean => spec?.replicas === 0;

/** The command that gives a workload its pod back. @param kind as kubectl takes it */
export const scaleUp = (context: string, namespace: string, kind: string, name: string): string =>
  command`kubectl --context ${context} -n ${namespace} scale ${kind} ${name} --replicas 1`;

export type JobState = 'running' | 'complete' | 'failed';

export function jobState(job: Job): JobState {
  if ((job.status?.succeeded ?? 0) > 0) return 'complete';
  const failed = job.status?.conditions?.some(({ type, status }) => type === 'Failed' && status === 'True');
  return failed ? 'failed' : 'running';
}
