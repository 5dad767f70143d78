import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, keyOf } from '../kube/api.ts';
import { now } from '../kube/conditions.ts';
import { isNotFound } from '../kube/errors.ts';
import type { ContainerState, ContainerStatus, Pod } from '../kube/objects.ts';
import { pods } from '../kube/resources.ts';

const retryPause = 500;

/** Reports a pod's status to its API server: always the latest, one write at a time, through the server's restarts. */
export class PodStatus {
  readonly #kubelet: Api;
  readonly #pod: Pod;
  readonly #podIP: string;
  readonly #signal: AbortSignal;
  readonly #startTime = now();
  readonly #containers: ContainerStatus[];
  #changed = false;
  #reporting: Promise<void> | undefined;

  constructor(kubelet: Api, pod: Pod, podIP: string, signal: AbortSignal) {
    this.#kubelet = kubelet;
    this.#pod = pod;
    this.#podIP = podIP;
    this.#signal = signal;
    this.#containers = pod.spec.containers.map(({ name, image }) => ({
      name,
      image,
      imageID: '',
      ready: false,
      started: false,
      restartCount: 0,
      state: { waiting: { reason: 'ContainerCreating' } },
      lastState: {},
    }));
  }

  waiting(container: string, reason: string, message?: string): void {
    this.#set(container, { state: { waiting: { reason, ...(message && { message }) } }, ready: false, started: false });
  }

  running(container: string): void {
    const { image } = this.#find(container);
    this.#set(container, { state: { running: { startedAt: now() } }, imageID: image, started: true });
  }

  terminated(container: string, exitCode: number, message = ''): void {
    const { startedAt } = this.#find(container).state.running ?? {};
    const terminated = {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      message,
      ...(startedAt && { startedAt }),
      finishedAt: now(),
    };
    this.#set(container, { state: { terminated }, ready: false, started: false });
  }

  /** Counts a restart, keeping how the last run ended. */
  restarting(container: string): void {
    const { restartCount, state } = this.#find(container);
    this.#set(container, { restartCount: restartCount + 1, lastState: state });
  }

  setReady(container: string, ready: boolean): void {
    if (this.#find(container).ready !== ready) this.#set(container, { ready });
  }

  /** Resolves once the latest status is stored. */
  async reported(): Promise<void> {
    await this.#reporting;
  }

  #find(container: string): ContainerStatus {
    const status = this.#containers.find(({ name }) => name === container);
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
    // Changes made together are reported together.
    await Promise.resolve();
    while (this.#changed && !this.#signal.aborted) {
      this.#changed = false;
      try {
        await this.#kubelet.patch(pods, keyOf(this.#pod), { status: this.#status() }, { subresource: 'status' });
      } catch (error) {
        if (isNotFound(error)) return;
        this.#changed = true;
        await sleep(retryPause);
      }
    }
  }

  #status() {
    const phase = this.#phase();
    const ready = this.#containers.every((container) => container.ready);
    const running = phase === 'Running' || phase === 'Pending';
    return {
      phase,
      hostIP: '172.18.0.2',
      podIP: this.#podIP,
      podIPs: [{ ip: this.#podIP }],
      startTime: this.#startTime,
      conditions: [
        condition('PodScheduled', true, this.#startTime),
        condition('Initialized', true, this.#startTime),
        condition('ContainersReady', ready, now(), running ? 'ContainersNotReady' : 'PodCompleted'),
        condition('Ready', ready, now(), running ? 'ContainersNotReady' : 'PodCompleted'),
      ],
      containerStatuses: this.#containers,
    };
  }

  #phase(): string {
    const states: ContainerState[] = this.#containers.map(({ state }) => state);
    const finished = this.#pod.spec.restartPolicy !== 'Always' && states.every(({ terminated }) => terminated);
    if (finished) return states.every(({ terminated }) => terminated?.exitCode === 0) ? 'Succeeded' : 'Failed';
    const hasStarted = this.#containers.some(
      ({ state, lastState }) => state.running || state.terminated || lastState.terminated,
    );
    return hasStarted ? 'Running' : 'Pending';
  }
}

function condition(type: string, holds: boolean, lastTransitionTime: string, reason?: string) {
  return { type, status: holds ? 'True' : 'False', lastTransitionTime, ...(!holds && reason && { reason }) };
}
