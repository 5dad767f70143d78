import { type SpawnOptions, spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { until } from '../kube/until.ts';
import type { Log } from '../plane/go-program.ts';
import { engineFolder } from './folder.ts';
import { canRaiseLimits } from './machine.ts';

/** Docker 20.10 of Debian has no other builder; newer ones still have this one. */
const env = { DOCKER_BUILDKIT: '0' };

/** Runs docker and returns what it prints. */
export async function docker(...args: readonly string[]): Promise<string> {
  return (await execa('docker', args, { env })).stdout;
}

/** Whether docker ends with exit code 0. */
export async function dockerSucceeds(...args: readonly string[]): Promise<boolean> {
  return (await execa('docker', args, { env, reject: false })).exitCode === 0;
}

const pidFile = () => join(engineFolder(), 'dockerd.pid');
/** For its start and its end, in seconds. */
const patience = 30;

/**
 * Uses the Docker that runs, else starts dockerd with data of its own, which outlives this process until `stopDocker`: so a later run finds
 * what an earlier one has left.
 */
export async function startDocker(log: Log): Promise<void> {
  if (await dockerSucceeds('version')) return;
  const folder = engineFolder();
  await mkdir(folder, { recursive: true });
  const args = ['--data-root', join(folder, 'docker'), '--exec-root', join(folder, 'run')];
  args.push('--pidfile', pidFile());
  if (!(await canRaiseLimits())) {
    const wrapper = join(import.meta.dirname, 'runc-without-sys-resource.sh');
    args.push('--add-runtime', `limited=${wrapper}`, '--default-runtime', 'limited');
  }
  log('starting dockerd');
  const output = openSync(join(folder, 'dockerd.log'), 'w');
  const options = { detached: true, stdio: ['ignore', output, output] } satisfies SpawnOptions;
  spawn('dockerd', args, options).unref();
  const answers = `dockerd answers: see ${join(folder, 'dockerd.log')}`;
  await until(() => dockerSucceeds('version'), answers, patience);
}

/** Whether the Docker that runs was started by `startDocker`. */
export async function isOwnDocker(): Promise<boolean> {
  return (await runningPid()) !== undefined;
}

async function runningPid(): Promise<number | undefined> {
  if (!existsSync(pidFile())) return undefined;
  const pid = Number(await readFile(pidFile(), 'utf8'));
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  return name.trim() === 'dockerd' ? pid : undefined;
}

/** Stops the Docker that `startDocker` has started; no other one. */
export async function stopDocker(log: Log): Promise<void> {
  const pid = await runningPid();
  if (pid === undefined) return;
  log('stopping dockerd');
  process.kill(pid, 'SIGTERM');
  await until(async () => !(await isOwnDocker()), `dockerd (process ${pid}) ends`, patience);
}
