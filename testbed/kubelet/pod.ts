import { EventEmitter, once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf } from '../kube/api.ts';
import type { Container, Pod } from '../kube/objects.ts';
import { pods } from '../kube/resources.ts';
import { untilAnswered } from '../kube/retry.ts';
import { ContainerLog } from '../pod-runner/container-log.ts';
import { tell } from '../pod-runner/pod-events.ts';
import { PodStatus } from '../pod-runner/pod-status.ts';
import { runContainer } from './container.ts';
import { type Image, imageOf } from './images.ts';
import type { Endpoint } from './network.ts';
import type { NodeContext } from './node-context.ts';
import { PodVolumes } from './volumes.ts';

/** Runs one pod from its binding to its deletion. */
export class PodRun {
  readonly #node: NodeContext;
  #pod: Pod;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly #status: PodStatus;
  readonly #stopping = new AbortController();
  readonly #volumes: PodVolumes;
  readonly #dir: string;
  readonly #address: string;
  readonly #endpoint: Endpoint;
  readonly #ready = new Set<string>();
  readonly #logs = new Map<string, ContainerLog>();
  readonly #ended: Promise<void>;
  #removed: Promise<void> | undefined;

  constructor(node: NodeContext, pod: Pod, address: string) {
    const { namespace, name, uid = '' } = pod.metadata;
    this.#node = node;
    this.#pod = pod;
    this.#address = address;
    this.#dir = join(node.podsDir, `${namespace}_${name}_${uid.slice(0, 8)}`);
    this.#status = new PodStatus(node.kubelet, pod, address, this.#stopping.signal, node.address);
    this.#volumes = new PodVolumes(node.kubelet, pod, this.#dir, node);
    this.#endpoint = { pod, address, isReady: false };
    this.#ended = this.#run();
  }

  /** `namespace/name` of its pod. */
  get key(): string {
    return keyOf(this.#pod);
  }

  /**
   * A container that waits for its image tries the new one, and one that runs is restarted with it (kubelet: "Container definition
   * changed, will be restarted"); labels count for Services. Other changes have no effect.
   */
  changed(pod: Pod): void {
    this.#pod = pod;
    this.#endpoint.pod = pod;
    this.#changes.emit('change');
  }

  /** To be called after a change of a Secret or ConfigMap of its namespace, or of faults: its files and processes follow. */
  surroundingsChanged(): void {
    this.#changes.emit('change');
  }

  setReady(container: string, isReady: boolean): void {
    this.#status.setReady(container, isReady);
    if (isReady) this.#ready.add(container);
    else this.#ready.delete(container);
    this.#endpoint.isReady = this.#pod.spec.containers.every(({ name }) => this.#ready.has(name));
    this.#node.cluster.changed();
  }

  /** Stops the containers, then deletes the pod without grace period if it still exists. */
  stop(): Promise<void> {
    this.#removed ??= this.#remove();
    return this.#removed;
  }

  async #remove(): Promise<void> {
    await this.abandon();
    const { uid } = this.#pod.metadata;
    const options = { gracePeriodSeconds: 0, ...(uid && { preconditions: { uid } }) };
    await untilAnswered(
      () => this.#node.kubelet.delete(pods, keyOf(this.#pod), options),
      this.#node.signal,
    );
  }

  /** Stops the containers, and keeps the pod unchanged. */
  async abandon(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  /** The log of a container. @throws Error with the kubelet's message if the log does not exist */
  logOf(container: string): ContainerLog {
    return this.#status.logOf(container, this.#logs);
  }

  async #run(): Promise<void> {
    const { initContainers = [], containers, restartPolicy } = this.#pod.spec;
    const { endpoints } = this.#node.cluster;
    await this.#untilMounted();
    const ended = new AbortController();
    void this.#followMounted(AbortSignal.any([ended.signal, this.#stopping.signal]));
    try {
      for (const container of initContainers) {
        const exitCode = await this.#runContainer(container, true);
        if (exitCode === undefined || (exitCode !== 0 && restartPolicy === 'Never')) return;
      }
      endpoints.add(this.#endpoint);
      await Promise.all(containers.map((container) => this.#runContainer(container, false)));
    } finally {
      ended.abort();
      endpoints.delete(this.#endpoint);
      this.#node.cluster.changed();
    }
  }

  /** Waits until every object that the pod mounts exists. */
  async #untilMounted(): Promise<void> {
    const { signal } = this.#stopping;
    for (let told = ''; !signal.aborted; ) {
      const change = this.#change(signal);
      const why = await this.#volumes.fill().then(
        () => '',
        ({ message }: Error) => message,
      );
      if (why === '') return;
      if (told !== why) {
        for (const { name } of this.#pod.spec.containers) this.#status.creating(name);
        void tell(this.#node.kubelet, this.#pod, { reason: 'FailedMount', message: why });
      }
      told = why;
      await change;
    }
  }

  /** Keeps the files up to date, and tokens too, where the kubelet looks every minute. */
  async #followMounted(signal: AbortSignal): Promise<void> {
    const timer = setInterval(() => this.#changes.emit('change'), 60_000);
    signal.addEventListener('abort', () => clearInterval(timer));
    while (!signal.aborted) {
      await this.#change(signal);
      if (!signal.aborted) await this.#volumes.fill().catch(() => {});
    }
  }

  #change(signal: AbortSignal): Promise<unknown> {
    return once(this.#changes, 'change', { signal }).catch(() => {});
  }

  async #runContainer(container: Container, isInit: boolean): Promise<number | undefined> {
    const { name } = container;
    const dir = join(this.#dir, name);
    for (;;) {
      const image = await this.#pulled(container);
      if (!image) return undefined;
      const replaced = new AbortController();
      const reference = this.#imageNow(name);
      const compare = () => {
        if (!isInit && this.#imageNow(name) !== reference) replaced.abort();
      };
      mkdirSync(dir, { recursive: true });
      const log = new ContainerLog(join(dir, 'container.log'));
      this.#logs.set(name, log);
      const parts = {
        node: this.#node,
        pod: this.#pod,
        address: this.#address,
        status: this.#status,
      };
      const more = {
        container: { ...container, image: reference },
        isInit,
        image,
        log,
        volumes: this.#volumes,
        dir,
        grace: () => this.#grace,
      };
      this.#changes.on('change', compare);
      try {
        const signal = AbortSignal.any([this.#stopping.signal, replaced.signal]);
        const exitCode = await runContainer({ ...parts, ...more }, signal);
        if (exitCode !== undefined || this.#stopping.signal.aborted) return exitCode;
      } finally {
        this.#changes.off('change', compare);
        log.end();
      }
      this.#status.terminated(name, 0);
      this.#status.restarting(name);
    }
  }

  #imageNow(container: string): string {
    const { initContainers = [], containers } = this.#pod.spec;
    return [...initContainers, ...containers].find(({ name }) => name === container)?.image ?? '';
  }

  /** What its deletion says counts, then its own. */
  get #grace(): number {
    const { metadata, spec } = this.#pod;
    return metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30;
  }

  /** Waits until the image can be pulled. Returns undefined if the pod stops before. */
  async #pulled({ name }: Container): Promise<Image | undefined> {
    const { signal } = this.#stopping;
    for (let told = ''; !signal.aborted; await this.#change(signal)) {
      const reference = this.#imageNow(name);
      const image = imageOf(reference, this.#node.machine.bin);
      if (image && !this.#node.faults.isUnpullable(reference)) return image;
      if (told === reference) continue;
      told = reference;
      this.#status.waiting(name, 'ImagePullBackOff', `Back-off pulling image "${reference}"`);
      const message = `Failed to pull image "${reference}": not found`;
      void tell(this.#node.kubelet, this.#pod, { reason: 'Failed', message });
    }
    return undefined;
  }
}
