/**
 * The commands of README on real containers: Docker, kind, kubelets that pull from a real registry. Needs root, and Docker, or
 * --install-docker to install Debian's or Ubuntu's. Everything else is built of Go modules and packages of Debian, once.
 *
 *   npm run test:engine -- [--install-docker] [--images upstream] [--only STAGE,…] [--keep]
 *
 * --images upstream pulls what users pull, with the kind, helm and kubectl of PATH: nothing is built, and nothing is a stand-in.
 * --only runs some stages on what an earlier run has left; --keep leaves everything running for a further one.
 */
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import {
  type Engine,
  engineFolder,
  images,
  startEngine,
  stopEngine,
} from '../../testbed/engine/index.ts';
import { openShell } from './shell.ts';
import { clusters, stages } from './stages.ts';

const { values } = parseArgs({
  options: {
    images: { type: 'string' },
    'install-docker': { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const isUpstream = values.images === 'upstream';
if (values.images !== undefined && !isUpstream) throw new Error('--images takes "upstream".');
const names =
  values.only?.split(',') ??
  Object.keys(stages).filter((name) => name !== 'registry' || !isUpstream);
for (const name of names)
  if (!(name in stages))
    throw new Error(`There is no stage "${name}": ${Object.keys(stages).join(', ')}`);

const times: [name: string, seconds: number][] = [];

async function stage<T>(name: string, work: () => Promise<T>): Promise<T> {
  process.stdout.write(`\n== ${name}\n`);
  const started = performance.now();
  try {
    return await work();
  } finally {
    times.push([name, (performance.now() - started) / 1000]);
  }
}

const log = (line: string) => void process.stdout.write(`  ${line}\n`);
const folder = path.join(engineFolder(), 'user');
let engine: Engine | undefined;
/** Whether this run has made sure that no others have the names of README's clusters. */
let ownsNames = false;

function fail(error: unknown) {
  process.exitCode = 1;
  process.stderr.write(`\n✗ ${(error as Error).message}\n`);
}

async function run() {
  const started = await startEngine({ installs: values['install-docker'], isUpstream, stage, log });
  engine = started;
  const { kind } = started.programs;
  if (names.includes('install')) {
    const { stdout } = await execa(kind, ['get', 'clusters']);
    const present = stdout.split('\n').filter((name) => clusters.includes(name));
    if (present.length > 0)
      throw new Error(`There are clusters of kind of these names: ${present.join(', ')}`);
    ownsNames = true;
    await rm(folder, { recursive: true, force: true });
  }
  const shell = await stage('package', () => openShell(folder, started));
  for (const name of names)
    await stage(name, async () => stages[name]?.({ engine: started, shell }));
}

/** What stand-ins took the place of. */
function notProven() {
  const steps = Map.groupBy(
    images.filter(({ step }) => step !== undefined),
    ({ step }) => step,
  );
  const parts = [...steps].map(
    ([step, standIns]) => `${step} (${standIns.map(({ names: [name] }) => name).join(', ')})`,
  );
  return `Not proven, because stand-ins took part: ${parts.join('; ')}`;
}

/** Those of this run, and of an earlier one those that its user's kubeconfig has. */
async function ownClusters() {
  const file = path.join(folder, 'home', '.kube', 'config');
  const kubeconfig = await readFile(file, 'utf8').catch(() => '');
  return clusters.filter((name) => ownsNames || kubeconfig.includes(`name: kind-${name}\n`));
}

async function stop() {
  const own = await ownClusters();
  if (engine && own.length > 0) await execa(engine.programs.kind, ['delete', 'clusters', ...own]);
  const differing = await stopEngine(log);
  if (differing.length > 0)
    throw new Error(`Not as before on this machine: ${differing.join(', ')}`);
}

/** A run that is interrupted puts the machine back as well. */
const interrupted = new Promise<never>((_resolve, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => reject(new Error(`It was interrupted (${signal}).`)));
});

await Promise.race([run(), interrupted]).catch(fail);
if (values.keep) log('Everything runs on: --only uninstall removes the clusters');
else await stage('stop', stop).catch(fail);

process.stdout.write(`\nOutputs: ${path.join(folder, 'log.txt')}\n`);
for (const [name, seconds] of times)
  process.stdout.write(`  ${name.padEnd(20)} ${seconds.toFixed(1).padStart(7)} s\n`);
if (process.exitCode === undefined && !isUpstream) process.stdout.write(`\n${notProven()}\n`);
// Handles left by an interrupted command must not keep the process running.
process.exit();
