import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyOf } from '../kube/api.ts';
import { now } from '../kube/conditions.ts';
import type { Container, KubeObject, Pod, Volume } from '../kube/objects.ts';
import { events, pods } from '../kube/resources.ts';
import { untilAnswered } from '../kube/retry.ts';
import { runContainer } from './container.ts';
import { ContainerLog } from './container-log.ts';
import { programFor } from './images.ts';
import type { NodeContext } from './node-context.ts';
import { PodFiles } from './pod-files.ts';
import { PodStatus } from './pod-status.ts';
import type { Program } from './program.ts';

/** How long a program may take to end after its signal. */
const stopGrace = 2_000;

/** Runs one pod from its binding to its deletion. */
export class PodWorker {
  readonly #node: NodeContext;
  readonly #pod: Pod;
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

  /** `namespace/name` of its pod. */
  get key(): string {
    return keyOf(this.#pod);
  }

  /** Stops the containers; then the pod, if it still exists, is removed for good. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.abandon();
    await Promise.race([this.#ended, sleep(stopGrace)]);
    const { uid } = this.#pod.metadata;
    const options = { gracePeriodSeconds: 0, ...(uid && { preconditions: { uid } }) };
    await untilAnswered(() => this.#node.kubelet.delete(pods, keyOf(this.#pod), options), this.#node.signal);
  }

  /** Stops the containers, and leaves the pod as it is. */
  abandon(): void {
    this.#stopping.abort();
  }

  /** The log of a container; throws where there is none, in the kubelet's words. */
  logOf(container: string): ContainerLog {
    const { name } = this.#pod.metadata;
    const state = this.#status.stateOf(container);
    if (!state) throw new Error(`container ${container} is not valid for pod ${name}`);
    const log = this.#logs.get(container);
    if (log) return log;
    const { reason = 'ContainerCreating' } = state.waiting ?? {};
    const why = /^(Err)?Image/.test(reason) ? 'trying and failing to pull image' : reason;
    throw new Error(`container "${container}" in pod "${name}" is waiting to start: ${why}`);
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
        // Not waited for: a Secret that came meanwhile would be missed.
        void this.#warn('FailedMount', why);
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

  /** The program of an image, once it can be pulled; undefined when the pod stops before. */
  async #pulled({ name, image }: Container): Promise<Program | undefined> {
    const { faults } = this.#node;
    const { signal } = this.#stopping;
    const find = () => (faults.isUnpullable(image) ? undefined : programFor(image));
    let program = find();
    if (!program) {
      this.#status.waiting(name, 'ImagePullBackOff', `Back-off pulling image "${image}"`);
      await this.#warn('Failed', `Failed to pull image "${image}": not found`);
    }
    for (; !program && !signal.aborted; program = find()) await faults.change(signal);
    return signal.aborted ? undefined : program;
  }

  /** An Event as the kubelet's, for whoever looks into why a pod does not run. */
  async #warn(reason: string, message: string): Promise<void> {
    const { namespace = '', name, uid } = this.#pod.metadata;
    const event = {
      metadata: { generateName: `${name}.`, namespace },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
      type: 'Warning',
      reason,
      message,
      source: { component: 'kubelet' },
      firstTimestamp: now(),
      lastTimestamp: now(),
      count: 1,
    };
    await this.#node.kubelet.create<KubeObject>(events, event).catch(() => {});
  }
}
