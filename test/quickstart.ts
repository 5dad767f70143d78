/**
 * The quickstart: starts an ITS and two clusters on this machine, registers the clusters with the ITS by stellarctl, shows every
 * command as it would be typed and what it really prints, and removes everything again.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { styleText } from 'node:util';
import { type Bed, startBed } from './bed/bed.ts';
import { stellarctl } from './stellarctl.ts';

const parts: { name: string; seconds: number }[] = [];

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

/** Shows a command and runs it, its output going where ours goes. */
async function type(command: string, env: NodeJS.ProcessEnv, { plain = false } = {}): Promise<void> {
  process.stdout.write(`$ ${command}\n`);
  const words = command.replace(/ &$/, '').split(' ').slice(1);
  // Two commands at once share the terminal: without lines that move.
  const { exitCode } = await stellarctl(words, { env: plain ? { ...env, CI: 'true' } : env, stdio: 'inherit' });
  if (exitCode !== 0) throw new Error(`"${command}" ended with ${exitCode}`);
}

async function register(bed: Bed, settings: string): Promise<void> {
  const env = { KUBECONFIG: bed.kubeconfig, XDG_CONFIG_HOME: settings };

  say('Say once which ITS is meant');
  await type('stellarctl its use its1', env);

  say('Register two clusters side by side: one completely, the other only up to its request');
  await part('join two clusters', async () => {
    await Promise.all([
      type('stellarctl wec join cluster1 --accept --label location-group=edge &', env, { plain: true }),
      type('stellarctl wec join cluster2', env, { plain: true }),
    ]);
  });

  say('The second one waits to be accepted');
  await type('stellarctl wec list', env);
  await part('accept by hand', () => type('stellarctl accept cluster2', env));

  say('Label it, for binding policies to select');
  await type('stellarctl label cluster2 location-group=core', env);

  say('Look at the result: for people, wide, for scripts, and one cluster closely');
  await part('list', async () => {
    await type('stellarctl wec list', env);
    await type('stellarctl wec list -o wide', env);
    await type('stellarctl wec list -l location-group=edge -o yaml', env);
    await type('stellarctl wec list -l location-group=edge -o json', env);
  });

  await part('look into one', () => type('stellarctl wec get cluster1=cluster1', env));

  say('Run a command again: what is done stays done');
  await type('stellarctl wec join cluster1 --accept', env);

  say('Let a cluster go, and leave nothing behind on either side');
  await part('deregister', () => type('stellarctl deregister cluster1=cluster1 --clean-up --yes', env));
  await type('stellarctl wec list', env);
}

const settings = await mkdtemp(path.join(tmpdir(), 'stellarctl-quickstart-'));
let bed: Bed | undefined;
try {
  say('Start an ITS (its1) and two clusters (cluster1, cluster2): real Kubernetes API servers on this machine');
  bed = await part('start three control planes', () =>
    startBed({
      planes: [{ name: 'its1', hub: true }, { name: 'cluster1' }, { name: 'cluster2' }],
      log: (line) => process.stderr.write(`  ${line}\n`),
    }),
  );
  await register(bed, settings);
  say('Clean up');
} finally {
  await part('clean up', async () => {
    await bed?.stop();
    await rm(settings, { recursive: true, force: true });
  });
  process.stdout.write('\nHow long each part took:\n');
  for (const { name, seconds } of parts)
    process.stdout.write(`  ${name.padEnd(28)} ${seconds.toFixed(1).padStart(6)}s\n`);
}
