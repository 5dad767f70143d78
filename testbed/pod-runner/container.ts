import { createServer } from 'node:https';
import { connect as openSocket, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api, type Connection } from '../kube/api.ts';
import type { Container, Pod } from '../kube/objects.ts';
import type { ContainerLog } from './container-log.ts';
import { withinEgress } from './egress.ts';
import { expand, untilResolved } from './environment.ts';
import type { NodeContext } from './node-context.ts';
import { pipeBoth } from './pipe.ts';
import type { PodFiles } from './pod-files.ts';
import type { PodStatus } from './pod-status.ts';
import { Exit, type PodContext, type Program } from './program.ts';
import { BackOff, isFinal } from './restarts.ts';
import { PodToken } from './service-account.ts';

/** How long a container with a present image takes to start: recorded agents ran 0.7 to 0.8 s after the creation of their pod. */
const startTime = 700;

/** What a container needs to run. */
export interface ContainerParts {
  node: NodeContext;
  pod: Pod;
  container: Container;
  /** An init container restarts only after a failure. */
  isInit: boolean;
  program: Program;
  status: PodStatus;
  log: ContainerLog;
  files: PodFiles;
}

/**
 * Runs a container's program until the signal, and restarts it according to the pod's restart policy. Returns the exit
 * code of the last run, or undefined if the signal ended it.
 */
export async function runContainer(parts: ContainerParts, signal: AbortSignal): Promise<number | undefined> {
  const { node, pod, container, isInit, status, log } = parts;
  status.creating(container.name);
  const backOff = new BackOff();
  for (;;) {
    await pauseFor(startTime, signal);
    while (stateOf(parts) === 'dead' && !signal.aborted) await node.faults.change(signal);
    const env = await untilResolved(node.kubelet, pod, container, status, signal);
    if (signal.aborted || !env) return undefined;
    const began = Date.now();
    const { exitCode, message } = await runOnce(parts, env, signal);
    if (signal.aborted) return undefined;
    // A dead container has not terminated: it reports nothing, and its recovery does not count as a restart.
    if (stateOf(parts) === 'dead') continue;
    status.terminated(container.name, exitCode, message);
    if (isFinal(pod.spec, isInit, exitCode)) return exitCode;
    log.retire();
    status.restarting(container.name);
    const pause = backOff.pauseAfter(Date.now() - began);
    if (pause > 0) {
      const why = `back-off ${pause / 1000}s restarting failed container=${container.name} pod=${pod.metadata.name}`;
      status.waiting(container.name, 'CrashLoopBackOff', why);
      await Promise.race([pauseFor(pause, signal), node.faults.change(signal)]);
    }
  }
}

/** One run, from start to exit. Closes its clients at the end. */
async function runOnce(
  parts: ContainerParts,
  env: Record<string, string>,
  stopping: AbortSignal,
): Promise<{ exitCode: number; message: string }> {
  const { container, log } = parts;
  const run = new AbortController();
  const clients: Api[] = [];
  log.begin();
  try {
    const signal = AbortSignal.any([run.signal, stopping]);
    const context = await contextFor(parts, env, clients, signal);
    parts.status.running(container.name);
    void whenFaulty(parts, signal).then(() => {
      // A dead or crashing container prints nothing more.
      if (!signal.aborted) for (const client of clients) client.close();
      run.abort();
    });
    await failAsTold(parts, signal);
    if (stateOf(parts) === 'well') await parts.program(context);
    if (stateOf(parts) === 'crashing') throw new Error('the bed was told to let it crash');
    return { exitCode: 0, message: '' };
  } catch (error) {
    const { message, stack = message } = error as Error;
    if (error instanceof Exit) {
      if (message) log.write(message);
    } else if (!stopping.aborted) log.write(stack);
    return error instanceof Exit ? { exitCode: error.code, message: '' } : { exitCode: 1, message };
  } finally {
    run.abort();
    for (const client of clients) client.close();
  }
}

/** Fails or hangs instead of the program if the image has a fault. */
async function failAsTold({ node: { faults }, container, log }: ContainerParts, signal: AbortSignal): Promise<void> {
  const lastWords = faults.lastWordsOf(container.image);
  if (lastWords) {
    for (const line of lastWords) log.write(line);
    throw new Exit();
  }
  while (faults.isSilent(container.image) && !signal.aborted) await faults.change(signal);
}

function stateOf({ node, pod }: ContainerParts): ReturnType<NodeContext['faults']['stateOf']> {
  return node.faults.stateOf(node.plane, pod);
}

/** Resolves when a fault or the signal stops the program. */
async function whenFaulty(parts: ContainerParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && stateOf(parts) === 'well') await parts.node.faults.change(signal);
}

async function contextFor(
  { node, pod, container, status, log, files }: ContainerParts,
  env: Record<string, string>,
  clients: Api[],
  signal: AbortSignal,
): Promise<PodContext> {
  const token = await PodToken.request(node.kubelet, pod, signal);
  const kept = (client: Api) => {
    clients.push(client);
    return client;
  };
  const dial = await withinEgress(node.kubelet, pod, node.dial);
  const connect = (connection: Connection) => kept(new Api({ ...connection, dial }));
  const lead = (port: number, accept: (socket: Socket) => void) =>
    signal.addEventListener('abort', node.services.addEndpoint({ pod, port, accept }));
  return {
    pod,
    args: [...(container.command ?? []), ...(container.args ?? [])].map((word) => expand(word, env)),
    env,
    api: kept(node.connectOwn(() => token.value)),
    signal,
    ...files.mountFor(container),
    connect,
    open: (host, port) => {
      const route = dial(host, port);
      return openSocket(route.port, route.host);
    },
    serve: (port, tls, handler) => {
      // As in Go's servers: after Node's five seconds it would close connections that an API server is about to reuse.
      const server = createServer({ ...tls, keepAliveTimeout: 120_000 }, handler);
      lead(port, (socket) => server.emit('connection', socket));
    },
    listenOnNode: (port, onConnection) => node.nodePorts.listen(port, onConnection, signal),
    startPlane: async (options) => {
      const { plane, port } = await node.nestedPlanes.start(node, pod, options, signal);
      lead(options.port, (socket) => pipeBoth(socket, openSocket(port, '127.0.0.1')));
      return plane;
    },
    now: () => new Date(Date.now() + node.faults.clockErrorOf(node.plane, pod)),
    mayPull: (chart) => !node.faults.isUnpullable(chart),
    setReady: (ready) => status.setReady(container.name, ready),
    log: (line) => log.write(line),
  };
}

async function pauseFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}
