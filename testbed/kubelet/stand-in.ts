import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as openSocket, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { Api, type Connection } from '../kube/api.ts';
import { expand } from '../pod-runner/environment.ts';
import { pipeBoth } from '../pod-runner/pipe.ts';
import { Exit, type PodContext } from '../pod-runner/program.ts';
import { hostOf, portOf } from './addresses.ts';
import type { ContainerParts } from './container.ts';

/** Runs a function in place of a program that is not available, with what a process of the pod would have. @returns the exit code */
export async function runStandIn(
  program: (context: PodContext) => Promise<void>,
  parts: ContainerParts & { env: Record<string, string> },
  signal: AbortSignal,
): Promise<number> {
  const clients: Api[] = [];
  try {
    await program(await contextFor(parts, clients, signal));
    return 0;
  } catch (error) {
    const { message, stack = message } = error as Error;
    if (!signal.aborted) parts.log.write(error instanceof Exit ? message : stack);
    return error instanceof Exit ? error.code : 1;
  } finally {
    for (const client of clients) client.close();
  }
}

async function contextFor(
  {
    node,
    pod,
    address,
    container,
    env,
    log,
    volumes,
    ...parts
  }: ContainerParts & { env: Record<string, string> },
  clients: Api[],
  signal: AbortSignal,
): Promise<PodContext> {
  const dial = node.network.dialFrom(node.cluster, address);
  const connect = (connection: Connection) => {
    const client = new Api({ ...connection, dial });
    clients.push(client);
    return client;
  };
  const serveTcp = (port: number, onConnection: (socket: Socket) => void) => {
    const server = createServer(onConnection).listen(portOf(port), hostOf(address));
    signal.addEventListener('abort', () => server.close());
  };
  /** Where a path of the container is on this machine, if it is in a volume. */
  const targetOf = (path: string) => {
    const mount = volumes.mountsOf(container).find(([mounted]) => path.startsWith(`${mounted}/`));
    return mount && join(mount[1], path.slice(mount[0].length));
  };
  const token = () =>
    readIfPresent(targetOf('/var/run/secrets/kubernetes.io/serviceaccount/token')) ?? '';
  return {
    pod,
    args: [...(container.command ?? []), ...(container.args ?? [])].map((word) =>
      expand(word, env),
    ),
    env,
    signal,
    api: connect({ server: 'https://kubernetes.default.svc', caPem: node.caPem, token }),
    connect,
    readFile: (path) => readIfPresent(targetOf(path)),
    open: (host, port) => {
      const route = dial(host, port);
      return openSocket(route.port, route.host);
    },
    listenOnNode: (port, onConnection) => {
      const published = node.publishedPorts.find((each) => each.node === port);
      if (!published) return;
      const server = createServer(onConnection).listen(published.host, '127.0.0.1');
      signal.addEventListener('abort', () => server.close());
    },
    startPlane: async (options) => {
      const { plane, port } = await node.nestedPlanes.start(node, pod, options, signal);
      serveTcp(options.port, (socket) => pipeBoth(socket, openSocket(port, '127.0.0.1')));
      return plane;
    },
    serveTcp,
    setReady: (isReady) =>
      node.setReady({ node, pod, address, container, log, volumes, ...parts }, isReady),
    log: (line) => log.write(line),
    // scripts/kine.sh has them there.
    dropDatabase: (name) =>
      rmSync(`${node.machine.table}.${name}`, { recursive: true, force: true }),
    writeFile: (path, text) => {
      const file = targetOf(path);
      if (file === undefined) throw new Error(`open ${path}: read-only file system`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    },
  };
}

function readIfPresent(path: string | undefined): string | undefined {
  try {
    return path === undefined ? undefined : readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
