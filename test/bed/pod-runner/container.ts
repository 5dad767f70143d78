import { createWriteStream, type WriteStream } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api, type Connection } from '../kube/api.ts';
import type { Container, Pod } from '../kube/objects.ts';
import type { NodeContext } from './node-context.ts';
import type { PodStatus } from './pod-status.ts';
import type { PodContext, Program } from './program.ts';
import { PodToken } from './service-account.ts';

/**
 * What a container of an image that is already there takes to start: recorded agents ran 0.7 to 0.8 s after their pod
 * was made.
 */
const startTime = 700;

/**
 * The kubelet's back-off: the first restart at once, then 10 s doubling to 5 min, forgotten after 10 min of running.
 */
const backOff = { first: 10_000, last: 300_000, forgottenAfter: 600_000 };

/** What a container has of its pod. */
export interface ContainerParts {
  node: NodeContext;
  pod: Pod;
  container: Container;
  program: Program;
  status: PodStatus;
  logFile: string;
  /** The files that Secrets provide, read again at every start. */
  mountedFiles: () => Map<string, string>;
}

/** Runs a container's program, again and again as the pod's restart policy wants it, until the signal. */
export async function runContainer(parts: ContainerParts, signal: AbortSignal): Promise<void> {
  const { pod, container, status } = parts;
  const log = createWriteStream(parts.logFile, { flags: 'a' });
  status.waiting(container.name, 'ContainerCreating');
  let pause = 0;
  for (;;) {
    await pauseFor(startTime, signal);
    while (stateOf(parts) === 'dead' && !signal.aborted) await parts.node.faults.change(signal);
    if (signal.aborted) break;
    const began = Date.now();
    const { exitCode, message } = await runOnce(parts, log, signal);
    if (signal.aborted) break;
    // Whoever is dead has not ended: nobody is told, and it is no restart when it comes to life again.
    if (stateOf(parts) === 'dead') continue;
    status.terminated(container.name, exitCode, message);
    if (isFinal(pod, exitCode)) break;
    status.restarting(container.name);
    if (Date.now() - began > backOff.forgottenAfter) pause = 0;
    if (pause > 0) {
      const why = `back-off ${pause / 1000}s restarting failed container=${container.name} pod=${pod.metadata.name}`;
      status.waiting(container.name, 'CrashLoopBackOff', why);
      await Promise.race([pauseFor(pause, signal), parts.node.faults.change(signal)]);
    }
    pause = Math.min(Math.max(pause * 2, backOff.first), backOff.last);
  }
  log.end();
}

/** One run, from start to exit; its clients are of no use afterwards. */
async function runOnce(
  parts: ContainerParts,
  log: WriteStream,
  stopping: AbortSignal,
): Promise<{ exitCode: number; message: string }> {
  const run = new AbortController();
  const clients: Api[] = [];
  const say = (line: string) => log.write(`${new Date().toISOString()} ${line}\n`);
  try {
    const signal = AbortSignal.any([run.signal, stopping]);
    const context = await contextFor(parts, clients, say, signal);
    parts.status.running(parts.container.name);
    void whenFaulty(parts, signal).then(() => run.abort());
    if (stateOf(parts) === 'well') await parts.program(context);
    if (stateOf(parts) === 'crashing') throw new Error('the bed was told to let it crash');
    return { exitCode: 0, message: '' };
  } catch (error) {
    const { message, stack = message } = error as Error;
    if (!stopping.aborted) say(stack);
    return { exitCode: 1, message };
  } finally {
    run.abort();
    for (const client of clients) client.close();
  }
}

function stateOf({ node, pod }: ContainerParts): ReturnType<NodeContext['faults']['stateOf']> {
  return node.faults.stateOf(node.plane, pod);
}

/** Resolves when the program is to stop because of a fault, or the signal says so. */
async function whenFaulty(parts: ContainerParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && stateOf(parts) === 'well') await parts.node.faults.change(signal);
}

async function contextFor(
  { node, pod, container, status, mountedFiles }: ContainerParts,
  clients: Api[],
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<PodContext> {
  const token = await PodToken.request(node.kubelet, pod, signal);
  const files = mountedFiles();
  const connect = (connection: Connection) => {
    const client = new Api({ ...connection, dial: node.dial });
    clients.push(client);
    return client;
  };
  const serve = (port: number, tls: { cert: string; key: string }, handler: RequestListener) => {
    const server = createServer(tls, handler);
    const remove = node.services.addEndpoint({ pod, port, server });
    signal.addEventListener('abort', () => {
      remove();
    });
  };
  return {
    pod,
    args: [...(container.command ?? []), ...(container.args ?? [])],
    api: connect({ ...node.inClusterConnection, token: () => token.value }),
    signal,
    readFile: (path) => files.get(path),
    connect,
    serve,
    now: () => new Date(Date.now() + node.faults.clockErrorOf(node.plane, pod)),
    setReady: (ready) => status.setReady(container.name, ready),
    log,
  };
}

/** Whether a container that ended so is not started again. */
function isFinal({ spec }: Pod, exitCode: number): boolean {
  return spec.restartPolicy === 'Never' || (spec.restartPolicy === 'OnFailure' && exitCode === 0);
}

async function pauseFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}
