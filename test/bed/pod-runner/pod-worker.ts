import { createWriteStream, type WriteStream } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api, type Connection, type Dial, keyOf } from '../kube/api.ts';
import { now } from '../kube/conditions.ts';
import type { Container, Pod, Secret } from '../kube/objects.ts';
import { events, pods } from '../kube/resources.ts';
import { untilAnswered } from '../kube/retry.ts';
import { programFor } from './images.ts';
import { PodStatus } from './pod-status.ts';
import type { PodContext, Program } from './program.ts';
import { PodToken } from './service-account.ts';
import type { ServiceProxy } from './service-proxy.ts';

/** What a container of an image that is already there takes to start (live/: running about 0.8 s after its Deployment). */
const containerStart = 700;

/** The kubelet's back-off: the first restart at once, then 10 s doubling to 5 min, forgotten after 10 min of running. */
const restartBackOff = { first: 10_000, last: 300_000, forgottenAfter: 600_000 };

/** How long a program may take to end after its signal. */
const stopGrace = 2_000;

/** What a worker has of its node. */
export interface NodeContext {
  kubelet: Api;
  /** The address of the plane's API server for pods. */
  inClusterConnection: Connection;
  dial: Dial;
  services: ServiceProxy;
  logDir: string;
  findSecret(key: string): Secret | undefined;
  /** Resolves when any Secret has changed, or the signal says so. */
  secretChange(signal: AbortSignal): Promise<void>;
}

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
    await this.#mountVolumes();
    await Promise.all(this.#pod.spec.containers.map((container) => this.#runContainer(container)));
  }

  /** Waits until every Secret that the pod mounts exists, as the kubelet does. */
  async #mountVolumes(): Promise<void> {
    const { signal } = this.#stopping;
    const missing = () =>
      (this.#pod.spec.volumes ?? []).find(
        ({ secret }) => secret && !secret.optional && !this.#secret(secret.secretName),
      );
    let told = '';
    for (let volume = missing(); volume && !signal.aborted; volume = missing()) {
      const name = volume.secret?.secretName ?? '';
      if (told !== name) {
        told = name;
        for (const container of this.#pod.spec.containers) this.#status.waiting(container.name, 'ContainerCreating');
        const text = `MountVolume.SetUp failed for volume "${volume.name}" : secret "${name}" not found`;
        void this.#warn('FailedMount', text);
      }
      await this.#node.secretChange(signal);
    }
  }

  async #runContainer(container: Container): Promise<void> {
    const { signal } = this.#stopping;
    const program = programFor(container.image);
    if (!program) {
      this.#status.waiting(container.name, 'ImagePullBackOff', `Back-off pulling image "${container.image}"`);
      void this.#warn('Failed', `Failed to pull image "${container.image}": not found`);
      return;
    }
    const { namespace, name } = this.#pod.metadata;
    const log = createWriteStream(join(this.#node.logDir, `${namespace}_${name}_${container.name}.log`), {
      flags: 'a',
    });
    this.#status.waiting(container.name, 'ContainerCreating');
    let pause = 0;
    while (!signal.aborted) {
      await pauseFor(containerStart, signal);
      if (signal.aborted) break;
      const began = Date.now();
      const exitCode = await this.#runOnce(container, program, log);
      if (signal.aborted || isFinal(this.#pod, exitCode)) break;
      if (Date.now() - began > restartBackOff.forgottenAfter) pause = 0;
      if (pause > 0) {
        const back = `back-off ${pause / 1000}s restarting failed container=${container.name} pod=${name}`;
        this.#status.waiting(container.name, 'CrashLoopBackOff', back);
        await pauseFor(pause, signal);
      }
      pause = Math.min(Math.max(pause * 2, restartBackOff.first), restartBackOff.last);
    }
    log.end();
  }

  /** One run of a container, from start to exit. */
  async #runOnce(container: Container, program: Program, log: WriteStream): Promise<number> {
    const run = new AbortController();
    const signal = AbortSignal.any([run.signal, this.#stopping.signal]);
    const clients: Api[] = [];
    const say = (line: string) => log.write(`${new Date().toISOString()} ${line}\n`);
    let exitCode = 0;
    let message = '';
    try {
      const context = await this.#contextFor(container, signal, clients, say);
      this.#status.running(container.name);
      await program(context);
    } catch (error) {
      exitCode = 1;
      message = (error as Error).message;
      if (!signal.aborted) say((error as Error).stack ?? message);
    }
    run.abort();
    for (const client of clients) client.close();
    if (!this.#stopping.signal.aborted) {
      this.#status.terminated(container.name, exitCode, message);
      if (!isFinal(this.#pod, exitCode)) this.#status.restarting(container.name);
    }
    return exitCode;
  }

  async #contextFor(
    container: Container,
    signal: AbortSignal,
    clients: Api[],
    log: (line: string) => void,
  ): Promise<PodContext> {
    const token = await PodToken.request(this.#node.kubelet, this.#pod, signal);
    const files = this.#mountedFiles(container);
    const connect = (connection: Connection) => {
      const client = new Api({ ...connection, dial: this.#node.dial });
      clients.push(client);
      return client;
    };
    return {
      pod: this.#pod,
      args: [...(container.command ?? []), ...(container.args ?? [])],
      api: connect({ ...this.#node.inClusterConnection, token: () => token.value }),
      signal,
      readFile: (path) => files.get(path),
      connect,
      serve: (port, tls, handler) => this.#serve(port, tls, handler, signal),
      setReady: (ready) => this.#status.setReady(container.name, ready),
      log,
    };
  }

  #mountedFiles(container: Container): Map<string, string> {
    const files = new Map<string, string>();
    for (const { name, mountPath } of container.volumeMounts ?? []) {
      const source = this.#pod.spec.volumes?.find((volume) => volume.name === name)?.secret;
      if (!source) continue;
      const secret = this.#secret(source.secretName) ?? this.#mounted.get(source.secretName);
      if (secret) this.#mounted.set(source.secretName, secret);
      for (const [key, value] of Object.entries(secret?.data ?? {})) {
        files.set(`${mountPath}/${key}`, Buffer.from(value, 'base64').toString());
      }
    }
    return files;
  }

  #serve(port: number, tls: { cert: string; key: string }, handler: RequestListener, signal: AbortSignal): void {
    const server = createServer(tls, handler);
    const remove = this.#node.services.addEndpoint({ pod: this.#pod, port, server });
    signal.addEventListener('abort', () => {
      remove();
      server.closeAllConnections();
    });
  }

  #secret(name: string): Secret | undefined {
    return this.#node.findSecret(`${this.#pod.metadata.namespace}/${name}`);
  }

  /** An Event as the kubelet's, for whoever looks into why a pod does not run. */
  async #warn(reason: string, message: string): Promise<void> {
    const { namespace = '', name, uid } = this.#pod.metadata;
    await this.#node.kubelet
      .create(events, {
        metadata: { generateName: `${name}.`, namespace },
        involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
        type: 'Warning',
        reason,
        message,
        source: { component: 'kubelet' },
        firstTimestamp: now(),
        lastTimestamp: now(),
        count: 1,
      } as { metadata: { namespace: string } })
      .catch(() => {});
  }
}

/** Whether a container that ended so is not started again. */
function isFinal(pod: Pod, exitCode: number): boolean {
  const policy = pod.spec.restartPolicy ?? 'Always';
  return policy === 'Never' || (policy === 'OnFailure' && exitCode === 0);
}

async function pauseFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}
