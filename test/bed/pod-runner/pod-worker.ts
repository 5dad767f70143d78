import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyOf } from '../kube/api.ts';
import { now } from '../kube/conditions.ts';
import type { Container, KubeObject, Pod, Secret, Volume } from '../kube/objects.ts';
import { events, pods } from '../kube/resources.ts';
import { untilAnswered } from '../kube/retry.ts';
import { runContainer } from './container.ts';
import { programFor } from './images.ts';
import type { NodeContext } from './node-context.ts';
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
  /** The last known content of mounted Secrets: a running pod keeps what it has of one that is deleted. */
  readonly #mounted = new Map<string, Secret>();
  readonly #ended: Promise<void>;

  constructor(node: NodeContext, pod: Pod, podIP: string) {
    this.#node = node;
    this.#pod = pod;
    this.#status = new PodStatus(node.kubelet, pod, podIP, this.#stopping.signal);
    this.#ended = this.#run();
  }

  /** Stops the containers; then the pod, if it still exists, is removed for good. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    await Promise.race([this.#ended, sleep(stopGrace)]);
    const { uid } = this.#pod.metadata;
    const options = { gracePeriodSeconds: 0, ...(uid && { preconditions: { uid } }) };
    await untilAnswered(() => this.#node.kubelet.delete(pods, keyOf(this.#pod), options));
  }

  async #run(): Promise<void> {
    await this.#untilMountable();
    await Promise.all(this.#pod.spec.containers.map((container) => this.#runContainer(container)));
  }

  /** Waits until every Secret that the pod mounts exists, as the kubelet does. */
  async #untilMountable(): Promise<void> {
    const { signal } = this.#stopping;
    let told: Volume | undefined;
    for (let missing = this.#missing(); missing && !signal.aborted; missing = this.#missing()) {
      if (told !== missing) {
        told = missing;
        for (const { name } of this.#pod.spec.containers) this.#status.waiting(name, 'ContainerCreating');
        const secret = missing.secret?.secretName;
        const why = `MountVolume.SetUp failed for volume "${missing.name}" : secret "${secret}" not found`;
        // Not waited for: a Secret that came meanwhile would be missed.
        void this.#warn('FailedMount', why);
      }
      await this.#node.secretChange(signal);
    }
  }

  #missing(): Volume | undefined {
    const { volumes = [] } = this.#pod.spec;
    return volumes.find(({ secret }) => secret && !secret.optional && !this.#findSecret(secret.secretName));
  }

  async #runContainer(container: Container): Promise<void> {
    const { namespace, name } = this.#pod.metadata;
    const program = await this.#pulled(container);
    if (!program) return;
    const parts = {
      node: this.#node,
      pod: this.#pod,
      container,
      program,
      status: this.#status,
      logFile: join(this.#node.logDir, `${namespace}_${name}_${container.name}.log`),
      mountedFiles: () => this.#mountedFiles(container),
    };
    await runContainer(parts, this.#stopping.signal);
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

  #mountedFiles({ volumeMounts = [] }: Container): Map<string, string> {
    const files = new Map<string, string>();
    for (const { name, mountPath } of volumeMounts) {
      const source = this.#pod.spec.volumes?.find((volume) => volume.name === name)?.secret;
      if (!source) continue;
      const secret = this.#findSecret(source.secretName) ?? this.#mounted.get(source.secretName);
      if (secret) this.#mounted.set(source.secretName, secret);
      for (const [key, value] of Object.entries(secret?.data ?? {})) {
        files.set(`${mountPath}/${key}`, Buffer.from(value, 'base64').toString());
      }
    }
    return files;
  }

  #findSecret(name: string): Secret | undefined {
    return this.#node.findSecret(`${this.#pod.metadata.namespace}/${name}`);
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
