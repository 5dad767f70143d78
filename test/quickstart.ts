/**
 * The quickstart: from nothing to an installation of KubeStellar and back, by stellarctl. It shows every command as it would be typed
 * and what it really prints. kind is played by a small program that starts real Kubernetes control planes; helm is the real one.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { styleText } from 'node:util';
import {
  type Bed,
  buildHelm,
  chartOf,
  currentChart,
  freePort,
  ingressChart,
  kubectlApply,
  localClusterTools,
  startBed,
} from '../testbed/index.ts';
import { stellarctl } from './stellarctl.ts';

const parts: { name: string; seconds: number }[] = [];
const log = (line: string) => process.stderr.write(`  ${line}\n`);

async function part<T>(name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  try {
    return await work();
  } finally {
    parts.push({ name, seconds: (performance.now() - started) / 1000 });
  }
}

function say(text: string): void {
  process.stdout.write(`\n${styleText('bold', `# ${text}`, { stream: process.stdout })}\n`);
}

/** Runs one command line after the other, each as it would be typed. */
type Typist = (command: string, options?: { plain?: boolean }) => Promise<void>;

function typist(env: NodeJS.ProcessEnv, cwd: string): Typist {
  return async (command, { plain = false } = {}) => {
    process.stdout.write(`$ ${command}\n`);
    const words = command.replace(/ &$/, '').split(' ').slice(1);
    // Two commands at once share the terminal: without lines that move.
    const options = { cwd, env: plain ? { ...env, CI: 'true' } : env, stdio: 'inherit' } as const;
    const { exitCode } = await stellarctl(words, options);
    if (exitCode !== 0) throw new Error(`"${command}" ended with ${exitCode}; what it says about that stands above.`);
  };
}

/** Each to its end: what failed is told when nothing runs any more. */
async function together(...running: Promise<void>[]): Promise<void> {
  const ended = await Promise.allSettled(running);
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
}

/** What the machine of a user has: kind and docker, which are played here, helm, an empty kubeconfig, and charts at hand. */
async function userOf(bed: Bed): Promise<{ env: NodeJS.ProcessEnv; home: string; port: number }> {
  const home = path.join(bed.dir, 'home');
  await mkdir(home, { mode: 0o700 });
  const [helm, tools, chart, port] = await Promise.all([
    buildHelm(log),
    localClusterTools(bed),
    chartOf(currentChart),
    freePort(),
  ]);
  const env = {
    HOME: home,
    KUBECONFIG: path.join(home, 'kubeconfig'),
    XDG_CONFIG_HOME: path.join(home, '.config'),
    PATH: [tools.path, helm, process.env.PATH].join(path.delimiter),
  };
  await cp(chart, path.join(home, 'core-chart.tgz'));
  await cp(ingressChart, path.join(home, 'ingress-nginx'), { recursive: true });
  return { env, home, port };
}

async function install(type: Typist, port: number): Promise<void> {
  say('Create a hosting cluster: KubeFlex, and what makes ITSes and WDSes of its control planes');
  const charts = '--chart core-chart.tgz --ingress-chart ingress-nginx';
  await part('init', () => type(`stellarctl init --create kind --name kubeflex --external-port ${port} ${charts}`));

  say('Create an Inventory and Transport Space, a virtual cluster that WECs register with');
  await part('its create', () => type('stellarctl its create its1'));

  say('Create a Workload Description Space, for workloads and binding policies');
  await part('wds create', () => type('stellarctl wds create wds1'));
}

async function register(type: Typist): Promise<void> {
  say('Create two clusters to run workloads on: one is joined and accepted at once, the other only requests it');
  await part('create and join two clusters', () =>
    together(
      type('stellarctl wec create cluster1 --provider kind --join --accept --label location-group=edge &', {
        plain: true,
      }),
      type('stellarctl wec create cluster2 --provider kind --join', { plain: true }),
    ),
  );

  say('The request of the second one is pending: accept it');
  await type('stellarctl wec list');
  await part('accept by hand', () => type('stellarctl accept cluster2'));
  await type('stellarctl label cluster2 location-group=core');

  say('Show the whole installation, for people and for scripts, and one cluster in detail');
  await part('look', async () => {
    await type('stellarctl status');
    await type('stellarctl wec list -l location-group=edge -o json');
    await type('stellarctl wec get cluster1=cluster1');
  });

  say('Run commands again: what is done is not changed');
  await part('again', async () => {
    await type('stellarctl its create its1');
    await type('stellarctl wec join cluster1 --accept');
  });
}

/** A Namespace with a Deployment. */
const shop = `apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { app: shop } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop, labels: { app: shop } }
spec:
  replicas: 2
  selector: { matchLabels: { run: web } }
  template:
    metadata: { labels: { run: web } }
    spec: { containers: [{ name: web, image: nginx }] }
`;

/** kubectl is played: it cannot reach a control plane where nobody resolves its name. */
async function applyShop({ KUBECONFIG = '' }: NodeJS.ProcessEnv, home: string): Promise<void> {
  await writeFile(path.join(home, 'shop.yaml'), shop);
  process.stdout.write('$ kubectl --context wds1 apply -f shop.yaml\n');
  for (const line of await kubectlApply(await readFile(KUBECONFIG, 'utf8'), 'wds1', shop))
    process.stdout.write(`${line}\n`);
}

async function send(type: Typist, apply: () => Promise<void>): Promise<void> {
  say('Put a workload into the WDS, and send it to both clusters');
  await part('send a workload', async () => {
    await apply();
    await type('stellarctl collector create replicas --preset replicas');
    await type('stellarctl policy create shop --clusters location-group -l app=shop --status replicas');
    await type('stellarctl workload wait deployment/web -n shop --for status --timeout 3m');
  });

  say('Show where it is, and what the clusters report of it');
  await part('look at the workload', async () => {
    await type('stellarctl policy get shop');
    await type('stellarctl workload get deployment/web -n shop');
    await type('stellarctl workload status deployment/web -n shop');
    await type('stellarctl doctor -o short');
  });
}

async function leave(type: Typist): Promise<void> {
  say('Deregister the clusters, with what runs there, and leave nothing behind on either side');
  await part('deregister', () => type('stellarctl deregister cluster1=cluster1 cluster2=cluster2 --clean-up --yes'));
  await part('wec delete', () =>
    together(
      type('stellarctl wec delete cluster1 --yes &', { plain: true }),
      type('stellarctl wec delete cluster2 --yes', { plain: true }),
    ),
  );

  say('Delete the spaces');
  await part('wds delete', () => type('stellarctl wds delete wds1 --yes'));
  await part('its delete', () => type('stellarctl its delete its1 --yes'));
  await type('stellarctl status');
}

const dir = await mkdtemp(path.join(tmpdir(), 'stellarctl-quickstart-'));
let bed: Bed | undefined;

async function quickstart(): Promise<void> {
  say(
    'Prepare a machine with helm and a stand-in of kind: its clusters are real Kubernetes API servers, without Docker',
  );
  bed = await part('prepare', () => startBed({ planes: [], log, dir }));
  const { env, home, port } = await part('prepare helm', () => userOf(bed as Bed));
  const type = typist(env, home);
  await install(type, port);
  await register(type);
  await send(type, () => applyShop(env, home));
  await leave(type);
  say('Clean up');
}

/** Whatever goes wrong, also where nobody waits for it. */
const failure = new Promise<never>((_resolve, reject) => {
  process.on('uncaughtException', reject);
  process.on('unhandledRejection', reject);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => reject(new Error(`It was interrupted (${signal}).`)));
});

/** Keeps the logs of all control planes and pods, and the whole of the error. @returns where */
async function keepLogs(error: Error): Promise<string> {
  const place = await mkdtemp(path.join(tmpdir(), 'stellarctl-quickstart-logs-'));
  await writeFile(path.join(place, 'error.txt'), `${error.stack ?? error.message}\n`);
  const files = await readdir(dir, { recursive: true, withFileTypes: true });
  for (const { name, parentPath } of files.filter((entry) => entry.isFile() && entry.name.endsWith('.log'))) {
    const to = path.join(place, path.relative(dir, parentPath));
    await mkdir(to, { recursive: true });
    await cp(path.join(parentPath, name), path.join(to, name));
  }
  return place;
}

try {
  await Promise.race([quickstart(), failure]);
} catch (error) {
  process.exitCode = 1;
  const known = error instanceof Error ? error : new Error(String(error));
  const place = await keepLogs(known).catch(() => undefined);
  process.stderr.write(`\n✗ The quickstart stopped: ${known.message}\n`);
  if (place !== undefined) process.stderr.write(`  The logs of all control planes and pods are in ${place}\n`);
}
await part('clean up', async () => {
  await bed?.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
}).catch((error: Error) => {
  process.exitCode = 1;
  process.stderr.write(`✗ Not all could be removed from ${dir}: ${error.message}\n`);
});
process.stdout.write('\nHow long each part took:\n');
for (const { name, seconds } of parts)
  process.stdout.write(`  ${name.padEnd(32)} ${seconds.toFixed(1).padStart(6)}s\n`);
// What an interrupted command left behind keeps nobody waiting.
process.exit();
