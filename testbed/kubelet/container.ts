import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, Pod } from '../kube/objects.ts';
import type { ContainerLog } from '../pod-runner/container-log.ts';
import { untilResolved } from '../pod-runner/environment.ts';
import type { PodStatus } from '../pod-runner/pod-status.ts';
import { BackOff, isFinal } from '../pod-runner/restarts.ts';
import type { Image } from './images.ts';
import type { NodeContext } from './node-context.ts';
import { watchContainer } from './probes.ts';
import { ContainerProcess } from './process.ts';
import { runStandIn } from './stand-in.ts';
import type { PodVolumes } from './volumes.ts';

/** What a container needs to run. */
export interface ContainerParts {
  node: NodeContext;
  pod: Pod;
  /** The pod's address, as Kubernetes knows it. */
  address: string;
  container: Container;
  /** An init container restarts only after a failure. */
  isInit: boolean;
  image: Image;
  status: PodStatus;
  log: ContainerLog;
  volumes: PodVolumes;
  /** The folder of this container's own files. */
  dir: string;
  /** How long it may take to end, in seconds. */
  grace: () => number;
}

/**
 * Runs a container until the signal, and restarts it according to the pod's restart policy. Returns the exit code of the last run, or
 * undefined if the signal ended it.
 */
export async function runContainer(
  parts: ContainerParts,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { node, pod, address, container, isInit, status, log } = parts;
  status.creating(container.name);
  const backOff = new BackOff();
  const known = { ...pod, status: { ...pod.status, podIP: address, hostIP: node.address } };
  for (;;) {
    const env = await untilResolved(node.kubelet, known, container, status, signal);
    if (!env) return undefined;
    const began = Date.now();
    const exitCode = await runOnce(parts, env, signal);
    if (signal.aborted) return undefined;
    status.terminated(container.name, exitCode);
    if (isFinal(pod.spec, isInit, exitCode)) return exitCode;
    log.retire();
    status.restarting(container.name);
    const wait = backOff.pauseAfter(Date.now() - began);
    if (wait > 0) {
      const why = `back-off ${wait / 1000}s restarting failed container=${container.name} pod=${pod.metadata.name}`;
      status.waiting(container.name, 'CrashLoopBackOff', why);
      // A fault that ends, ends the wait too: no test waits for minutes.
      await Promise.race([
        sleep(wait, undefined, { signal, ref: false }).catch(() => {}),
        node.faults.change(signal),
      ]);
    }
  }
}

/** One run, from start to exit. */
async function runOnce(
  parts: ContainerParts,
  env: Record<string, string>,
  stopping: AbortSignal,
): Promise<number> {
  const { node, pod, address, container, image, status, log, volumes, dir, isInit } = parts;
  const run = new AbortController();
  const signal = AbortSignal.any([run.signal, stopping]);
  log.begin();
  const onLine = (line: string) => log.write(line);
  const { faults } = node;
  try {
    if (faults.isSilent(container.image)) {
      status.running(container.name);
      if (!stopping.aborted) await once(stopping, 'abort');
      return 0;
    }
    const lastWords = faults.lastWordsOf(container.image);
    if (lastWords) {
      status.running(container.name);
      for (const line of lastWords) log.write(line);
      return 1;
    }
    if ('run' in image) {
      status.running(container.name);
      return await runStandIn(image.run, { ...parts, env }, signal);
    }
    const { machine } = node;
    const clock = faults.clockErrorOf(node.plane, pod);
    const mounts = volumes.mountsOf(container);
    const all = { ...env, ...(clock !== 0 && { BED_CLOCK: String(clock / 1000) }) };
    const started = new ContainerProcess({
      machine,
      pod,
      address,
      container,
      image,
      env: all,
      mounts,
      dir,
      onLine,
    });
    status.running(container.name);
    const stop = () => void started.stop(parts.grace());
    stopping.addEventListener('abort', stop);
    if (stopping.aborted) stop();
    const failed = (which: string) => {
      log.write(`${which} probe failed: the container is restarted`);
      void started.stop(parts.grace());
    };
    void obeyFaults(parts, started, clock, signal);
    const ready = (isReady: boolean) => node.setReady(parts, isReady);
    if (!isInit) void watchContainer(container, address, { ready, failed }, signal);
    const exitCode = await started.ended;
    stopping.removeEventListener('abort', stop);
    return faults.stateOf(node.plane, pod) === 'crashing' ? 1 : exitCode;
  } finally {
    run.abort();
    if (!isInit) node.setReady(parts, false);
  }
}

/** Freezes the process of a dead pod, and ends that of one that crashes, or whose clock was changed, until the signal. */
async function obeyFaults(
  { node: { faults, plane }, pod }: ContainerParts,
  process: ContainerProcess,
  clock: number,
  signal: AbortSignal,
): Promise<void> {
  for (let isFrozen = false; !signal.aborted; await faults.change(signal)) {
    const state = faults.stateOf(plane, pod);
    if (isFrozen !== (state === 'dead')) process.freeze(!isFrozen);
    isFrozen = state === 'dead';
    if (state === 'crashing' || faults.clockErrorOf(plane, pod) !== clock)
      return void process.stop(0);
  }
}
