import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, keyOf } from '../kube/api.ts';
import { now } from '../kube/conditions.ts';
import { isNotFound } from '../kube/errors.ts';
import type { Container, ContainerState, ContainerStatus, Pod } from '../kube/objects.ts';
import { pods } from '../kube/resources.ts';
import type { ContainerLog } from './container-log.ts';

const retryPause = 500;

/**
 * Reports a pod's status to its API server: always the latest, one write at a time, with retries while the server is
 * down. The pod is initialized when all init containers have exited with code 0.
 */
export class PodStatus {
  readonly #kubelet: Api;
  readonly #pod: Pod;
  readonly #podIP: string;
  readonly #hostIP: string;
  readonly #signal: AbortSignal;
  readonly #startTime = now();
  readonly #init: ContainerStatus[];
  readonly #main: ContainerStatus[];
  #initializedSince: string | undefined;
  #changed = false;
  #reporting: Promise<void> | undefined;

  constructor(kubelet: Api, pod: Pod, podIP: string, signal: AbortSignal, hostIP = '172.18.0.2') {
    this.#kubelet = kubelet;
    this.#pod = pod;
    this.#podIP = podIP;
    this.#hostIP = hostIP;
    this.#signal = signal;
    const { initContainers = [], containers } = pod.spec;
    const waiting = { reason: initContainers.length > 0 ? 'PodInitializing' : 'ContainerCreating' };
    this.#init = initContainers.map((container) => statusOf(container, { waiting }));
    this.#main = containers.map((container) => statusOf(container, { waiting }));
  }

  /** The container will start soon, or waits for init containers. */
  creating(container: string): void {
    this.waiting(container, this.#init.length > 0 ? 'PodInitializing' : 'ContainerCreating');
  }

  waiting(container: string, reason: string, message?: string): void {
    this.#set(container, {
      state: { waiting: { reason, ...(message && { message }) } },
      ready: false,
      started: false,
    });
  }

  running(container: string): void {
    const { image } = this.#find(container);
    this.#set(container, {
      state: { running: { startedAt: now() } },
      imageID: image,
      started: true,
    });
  }

  terminated(container: string, exitCode: number, message = ''): void {
    const { startedAt } = this.#find(container).state.running ?? {};
    const hasServed = exitCode === 0 && this.#init.includes(this.#find(container));
    const terminated = {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      message,
      ...(startedAt && { startedAt }),
      finishedAt: now(),
    };
    this.#set(container, { state: { terminated }, ready: hasServed, started: false });
  }

  /** Counts a restart, and keeps the last state. */
  restarting(container: string): void {
    const { restartCount, state } = this.#find(container);
    this.#set(container, { restartCount: restartCount + 1, lastState: state });
  }

  setReady(container: string, ready: boolean): void {
    if (this.#find(container).ready !== ready) this.#set(container, { ready });
  }

  /** The state of a container; undefined if the pod has no container of that name. */
  stateOf(container: string): ContainerState | undefined {
    return [...this.#init, ...this.#main].find(({ name }) => name === container)?.state;
  }

  /** The log of a container. @throws Error with the kubelet's message if the log does not exist */
  logOf(container: string, logs: ReadonlyMap<string, ContainerLog>): ContainerLog {
    const { name } = this.#pod.metadata;
    const state = this.stateOf(container);
    if (!state) throw new Error(`container ${container} is not valid for pod ${name}`);
    const log = logs.get(container);
    if (log) return log;
    const { reason = 'ContainerCreating' } = state.waiting ?? {};
    const why = /^(Err)?Image/.test(reason) ? 'trying and failing to pull image' : reason;
    throw new Error(`container "${container}" in pod "${name}" is waiting to start: ${why}`);
  }

  /** Resolves when the latest status is stored. */
  async reported(): Promise<void> {
    await this.#reporting;
  }

  #find(container: string): ContainerStatus {
    const status = [...this.#init, ...this.#main].find(({ name }) => name === container);
    if (!status) throw new Error(`no container ${container}`);
    return status;
  }

  #set(container: string, change: Partial<ContainerStatus>): void {
    Object.assign(this.#find(container), change);
    this.#changed = true;
    this.#reporting ??= this.#report().finally(() => {
      this.#reporting = undefined;
    });
  }

  async #report(): Promise<void> {
    // One report for all changes of the same turn.
    await Promise.resolve();
    while (this.#changed && !this.#signal.aborted) {
      this.#changed = false;
      try {
        await this.#kubelet.patch(
          pods,
          keyOf(this.#pod),
          { status: this.#status() },
          { subresource: 'status' },
        );
      } catch (error) {
        if (isNotFound(error)) return;
        this.#changed = true;
        await sleep(retryPause);
      }
    }
  }

  #status() {
    const phase = this.#phase();
    const ready = this.#main.every((container) => container.ready);
    const running = phase === 'Running' || phase === 'Pending';
    if (this.#isInitialized) this.#initializedSince ??= now();
    return {
      phase,
      hostIP: this.#hostIP,
      podIP: this.#podIP,
      podIPs: [{ ip: this.#podIP }],
      startTime: this.#startTime,
      conditions: [
        condition('PodScheduled', true, this.#startTime),
        condition(
          'Initialized',
          this.#isInitialized,
          this.#initializedSince ?? this.#startTime,
          'ContainersNotInitialized',
        ),
        condition('ContainersReady', ready, now(), running ? 'ContainersNotReady' : 'PodCompleted'),
        condition('Ready', ready, now(), running ? 'ContainersNotReady' : 'PodCompleted'),
      ],
      ...(this.#init.length > 0 && { initContainerStatuses: this.#init }),
      containerStatuses: this.#main,
    };
  }

  get #isInitialized(): boolean {
    return this.#init.every(({ state }) => state.terminated?.exitCode === 0);
  }

  #phase(): string {
    const { restartPolicy } = this.#pod.spec;
    const failed = ({ state }: ContainerStatus) =>
      state.terminated && state.terminated.exitCode !== 0;
    if (restartPolicy === 'Never' && this.#init.some(failed)) return 'Failed';
    if (!this.#isInitialized) return 'Pending';
    const states: ContainerState[] = this.#main.map(({ state }) => state);
    const finished = restartPolicy !== 'Always' && states.every(({ terminated }) => terminated);
    if (finished)
      return states.every(({ terminated }) => terminated?.exitCode === 0) ? 'Succeeded' : 'Failed';
    const hasStarted = this.#main.some(
      ({ state, lastState }) => state.running || state.terminated || lastState.terminated,
    );
    return hasStarted ? 'Running' : 'Pending';
  }
}

function statusOf({ name, image }: Container, state: ContainerState): ContainerStatus {
  return {
    name,
    image,
    imageID: '',
    ready: false,
    started: false,
    restartCount: 0,
    state,
    lastState: {},
  };
}

function condition(type: string, holds: boolean, lastTransitionTime: string, reason?: string) {
  return {
    type,
    status: holds ? 'True' : 'False',
    lastTransitionTime,
    ...(!holds && reason && { reason }),
  };
}
