import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyOf } from '../kube/api.ts';
import type { Container, Pod, Volume } from '../kube/objects.ts';
import { pods } from '../kube/resources.ts';
import { untilAnswered } from '../kube/retry.ts';
import { runContainer } from './container.ts';
import { ContainerLog } from './container-log.ts';
import { programFor } from './images.ts';
import type { NodeContext } from './node-context.ts';
import { warn } from './pod-events.ts';
import { PodFiles } from './pod-files.ts';
import { PodStatus } from './pod-status.ts';
import type { Program } from './program.ts';

/** How long a program may take to return after its signal. */
const stopGrace = 2_000;

/** Runs one pod from its binding to its deletion. */
export class PodWorker {
  readonly #node: NodeContext;
  #pod: Pod;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly #status: PodStatus;
  readonly #stopping = new AbortController();
  readonly #files: PodFiles;
  readonly #logs = new Map<string, ContainerLog>();
  readonly #ended: Promise<void>;

  constructor(node: NodeContext, pod: Pod, podIP: string) {
    this.#node = node;
    this.#pod = pod;
    this.#status = new PodStatus(node.kubelet, pod, podIP, this.#stopping.signal);
    this.#files = new PodFiles(pod, (name) => node.findSecret(`${pod.metadata.namespace}/${name}`));
    this.#ended = this.#run();
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** `namespace/name` of its pod. */
  get key(): string {
    return keyOf(this.#pod);
  }

  /** A container that waits for its image tries the new one. Other changes have no effect. */
  changed(pod: Pod): void {
    this.#pod = pod;
    this.#changes.emit('change');
  }

  /** Stops the containers, then deletes the pod without grace period if it still exists. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.abandon();
    await Promise.race([this.#ended, sleep(stopGrace)]);
    const { uid } = this.#pod.metadata;
    const options = { gracePeriodSeconds: 0, ...(uid && { preconditions: { uid } }) };
    await untilAnswered(() => this.#node.kubelet.delete(pods, keyOf(this.#pod), options), this.#node.signal);
  }

  /** Stops the containers, and reports the pod as Failed because of disk pressure. */
  async evict(): Promise<void> {
    this.abandon();
    await Promise.race([this.#ended, sleep(stopGrace)]);
    await this.#status.evicted(this.#node.signal);
  }

  /** Stops the containers, and keeps the pod unchanged. */
  abandon(): void {
    this.#stopping.abort();
  }

  /** The log of a container. @throws Error with the kubelet's message if the log does not exist */
  logOf(container: string): ContainerLog {
    return this.#status.logOf(container, this.#logs);
  }

  async #run(): Promise<void> {
    const { initContainers = [], containers, restartPolicy } = this.#pod.spec;
    await this.#untilMountable();
    for (const container of initContainers) {
      const exitCode = await this.#runContainer(container, true);
      if (exitCode === undefined || (exitCode !== 0 && restartPolicy === 'Never')) return;
    }
    await Promise.all(containers.map((container) => this.#runContainer(container, false)));
  }

  /** Waits until every Secret that the pod mounts exists, as the kubelet does. */
  async #untilMountable(): Promise<void> {
    const { signal } = this.#stopping;
    let told: Volume | undefined;
    for (let { missing } = this.#files; missing && !signal.aborted; { missing } = this.#files) {
      if (told !== missing) {
        told = missing;
        for (const { name } of this.#pod.spec.containers) this.#status.creating(name);
        const secret = missing.secret?.secretName;
        const why = `MountVolume.SetUp failed for volume "${missing.name}" : secret "${secret}" not found`;
        // Without await, which could miss the creation of the Secret.
        void warn(this.#node.kubelet, this.#pod, { reason: 'FailedMount', message: why });
      }
      await this.#node.secretChange(signal);
    }
  }

  async #runContainer(container: Container, isInit: boolean): Promise<number | undefined> {
    const { namespace, name } = this.#pod.metadata;
    const program = await this.#pulled(container);
    if (!program) return undefined;
    const log = new ContainerLog(join(this.#node.logDir, `${namespace}_${name}_${container.name}.log`));
    this.#logs.set(container.name, log);
    const parts = { node: this.#node, pod: this.#pod, container, isInit, program, log };
    try {
      return await runContainer({ ...parts, status: this.#status, files: this.#files }, this.#stopping.signal);
    } finally {
      log.end();
    }
  }

  /** Waits until the image can be pulled. Returns undefined if the pod stops before. */
  async #pulled({ name }: Container): Promise<Program | undefined> {
    const { faults } = this.#node;
    const { signal } = this.#stopping;
    const imageNow = () => {
      const { initContainers = [], containers } = this.#pod.spec;
      return [...initContainers, ...containers].find((container) => container.name === name)?.image ?? '';
    };
    const find = () => (faults.isUnpullable(imageNow()) ? undefined : programFor(imageNow()));
    let program = find();
    const image = imageNow();
    if (!program) {
      this.#status.waiting(name, 'ImagePullBackOff', `Back-off pulling image "${image}"`);
      const message = `Failed to pull image "${image}": not found`;
      await warn(this.#node.kubelet, this.#pod, { reason: 'Failed', message });
    }
    for (; !program && !signal.aborted; program = find()) {
      const change = once(this.#changes, 'change', { signal }).catch(() => {});
      await Promise.race([faults.change(signal), change]);
    }
    return signal.aborted ? undefined : program;
  }
}
