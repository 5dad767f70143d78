/**
 * The quickstart: from nothing to an installation of KubeStellar and back, with stellarctl. It shows every command as typed and its
 * real output. With --kind it uses this machine's docker, kind and helm; otherwise a small stand-in for kind starts clusters whose
 * control planes, OCM, KubeFlex and KubeStellar are the real ones.
 */
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bedMachine, kindMachine, type Machine } from './machine.ts';
import { tellStory } from './story.ts';
import { part, say, sayHowLong } from './tell.ts';

const { values } = parseArgs({ options: { kind: { type: 'boolean', default: false } } });
const dir = await mkdtemp(path.join(tmpdir(), 'stellarctl-quickstart-'));
let machine: Machine | undefined;

async function quickstart() {
  say(
    values.kind
      ? 'Prepare: look for docker, kind and helm'
      : 'Prepare a machine with helm and a stand-in of kind, whose clusters run the real programs as ordinary processes',
  );
  machine = await part('prepare', () => (values.kind ? kindMachine(dir) : bedMachine(dir)));
  await tellStory(machine);
  say('Clean up');
}

/** Any failure, including unhandled rejections. */
const failure = new Promise<never>((_resolve, reject) => {
  process.on('uncaughtException', reject);
  process.on('unhandledRejection', reject);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => reject(new Error(`It was interrupted (${signal}).`)));
});

/** Saves the logs of all control planes and pods of the test bed, and the complete error. @returns the folder */
async function keepLogs(error: Error) {
  const place = await mkdtemp(path.join(tmpdir(), 'stellarctl-quickstart-logs-'));
  await writeFile(path.join(place, 'error.txt'), `${error.stack ?? error.message}\n`);
  const files = await readdir(dir, { recursive: true, withFileTypes: true });
  for (const { name, parentPath } of files.filter(
    (entry) => entry.isFile() && entry.name.endsWith('.log'),
  )) {
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
  const place =
    machine === undefined || values.kind ? undefined : await keepLogs(known).catch(() => undefined);
  process.stderr.write(`\n✗ The quickstart stopped: ${known.message}\n`);
  if (place !== undefined)
    process.stderr.write(`  The logs of all control planes and pods are in ${place}\n`);
}
await part('clean up', async () => {
  const hasFailed = process.exitCode === 1;
  await machine?.clear(hasFailed);
  // The kubeconfig of remaining real clusters is needed to inspect them.
  const isNeeded = hasFailed && values.kind && machine !== undefined;
  if (!isNeeded) await rm(dir, { recursive: true, force: true, maxRetries: 5 });
}).catch((error: Error) => {
  process.exitCode = 1;
  process.stderr.write(`✗ Not all could be removed from ${dir}: ${error.message}\n`);
});
sayHowLong();
// Handles left by an interrupted command must not keep the process running.
process.exit();
