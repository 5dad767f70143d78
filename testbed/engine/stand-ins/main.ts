/** Runs a stand-in of the bed in a container of a real pod: node stand-ins.mjs PROGRAM [ARGUMENT...] */
import { readFileSync } from 'node:fs';
import { createServer, connect as openSocket, type Socket } from 'node:net';
import { ocmStatusAddon } from '../../images/ocm-status-addon.ts';
import { traefik } from '../../ingress/controller.ts';
import { Api } from '../../kube/api.ts';
import { syncer } from '../../kubeflex/syncer.ts';
import { Exit, type PodContext } from '../../pod-runner/program.ts';

const programs: Record<string, (context: PodContext) => Promise<void>> = {
  'ocm-status-addon': ocmStatusAddon,
  syncer,
  traefik,
};

const account = '/var/run/secrets/kubernetes.io/serviceaccount';
const notHere = (what: string) => () => {
  throw new Error(`${what} is not supported in containers`);
};

function contextOf(args: readonly string[], signal: AbortSignal): PodContext {
  const readFile = (path: string) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  };
  const serveTcp = (port: number, onConnection: (socket: Socket) => void) => {
    const server = createServer(onConnection).listen(port);
    signal.addEventListener('abort', () => server.close());
  };
  const metadata = {
    name: process.env.HOSTNAME ?? '',
    namespace: readFile(`${account}/namespace`) ?? '',
  };
  const caPem = readFile(`${account}/ca.crt`) ?? '';
  // As client-go: the node of a vcluster has the names of its hosting cluster.
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  const server = `https://${host}:${port}`;
  const token = () => readFile(`${account}/token`) ?? '';
  return {
    pod: { metadata } as PodContext['pod'],
    args,
    env: process.env as Record<string, string>,
    signal,
    api: new Api({ server, caPem, token }),
    connect: (connection) => new Api(connection),
    readFile,
    open: (host, port) => openSocket(port, host),
    serveTcp,
    // A port of the node is one of the pod: Traefik's argument says which one its chart leads there.
    listenOnNode: (port, onConnection) => {
      const [, own = port] = /--entryPoints\.websecure\.address=:(\d+)/.exec(args.join(' ')) ?? [];
      serveTcp(Number(own), onConnection);
    },
    startPlane: notHere('a control plane'),
    writeFile: notHere('writing files'),
    dropDatabase: notHere('a database'),
    setReady: () => {},
    log: (line) => void process.stdout.write(`${line}\n`),
  };
}

const [name = '', ...args] = process.argv.slice(2);
const end = new AbortController();
// Connections and watches that are still open would keep the process running.
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit());
// One that only waits for its end has nothing else that keeps the process running.
setInterval(() => {}, 60_000);
try {
  const run = programs[name];
  if (!run) throw new Exit(`unknown program "${name}"`);
  await run(contextOf(args, end.signal));
} catch (error) {
  const { message, stack = message } = error as Error;
  process.stderr.write(`${error instanceof Exit ? message : stack}\n`);
  process.exit(error instanceof Exit ? error.code : 1);
}
