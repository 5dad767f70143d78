/**
 * The quickstart: from nothing to an installation of KubeStellar and back, by stellarctl. It shows every command as it would be typed
 * and what it really prints. kind is played by a small program that starts real Kubernetes control planes; helm is the real one.
 */
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { styleText } from 'node:util';
import { type Bed, startBed } from './bed/bed.ts';
import { chartOf, ingressChart } from './bed/charts/chart-of.ts';
import { currentChart } from './bed/charts/versions.ts';
import { buildHelm } from './bed/helm/build.ts';
import { localClusterTools } from './bed/local-clusters/tools.ts';
import { freePort } from './bed/plane/ports.ts';
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
    if (exitCode !== 0) throw new Error(`"${command}" ended with ${exitCode}`);
  };
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
  say('Create two clusters to run workloads on: one joins on its own, the other only asks to');
  await part('create and join two clusters', () =>
    Promise.all([
      type('stellarctl wec create cluster1 --provider kind --join --accept --label location-group=edge &', {
        plain: true,
      }),
      type('stellarctl wec create cluster2 --provider kind --join', { plain: true }),
    ]),
  );

  say('The second one waits to be accepted');
  await type('stellarctl wec list');
  await part('accept by hand', () => type('stellarctl accept cluster2'));
  await type('stellarctl label cluster2 location-group=core');

  say('Look at the whole, for people and for scripts, and at one cluster closely');
  await part('look', async () => {
    await type('stellarctl status');
    await type('stellarctl wec list -l location-group=edge -o json');
    await type('stellarctl wec get cluster1=cluster1');
  });

  say('Run a command again: what is done stays done');
  await part('again', async () => {
    await type('stellarctl its create its1');
    await type('stellarctl wec join cluster1 --accept');
  });
}

async function leave(type: Typist): Promise<void> {
  say('Let the clusters go, and leave nothing behind on either side');
  await part('deregister', () => type('stellarctl deregister cluster1=cluster1 cluster2=cluster2 --clean-up --yes'));
  await part('wec delete', () =>
    Promise.all([
      type('stellarctl wec delete cluster1 --yes &', { plain: true }),
      type('stellarctl wec delete cluster2 --yes', { plain: true }),
    ]),
  );

  say('Delete the spaces');
  await part('wds delete', () => type('stellarctl wds delete wds1 --yes'));
  await part('its delete', () => type('stellarctl its delete its1 --yes'));
  await type('stellarctl status');
}

const dir = await mkdtemp(path.join(tmpdir(), 'stellarctl-quickstart-'));
let bed: Bed | undefined;
try {
  say('Prepare a machine with kind and helm: its clusters will be real Kubernetes API servers on this machine');
  bed = await part('prepare', () => startBed({ planes: [], log, dir }));
  const { env, home, port } = await part('prepare helm', () => userOf(bed as Bed));
  const type = typist(env, home);
  await install(type, port);
  await register(type);
  await leave(type);
  say('Clean up');
} finally {
  await part('clean up', async () => {
    await bed?.stop();
    await rm(dir, { recursive: true, force: true });
  });
  process.stdout.write('\nHow long each part took:\n');
  for (const { name, seconds } of parts)
    process.stdout.write(`  ${name.padEnd(32)} ${seconds.toFixed(1).padStart(6)}s\n`);
}
