import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from './lock.ts';

const run = promisify(execFile);
const module = join(import.meta.dirname, '..', 'control-plane');
const neededGo = [1, 26] as const;

/** Says what is going on, one line at a time. */
export type Log = (line: string) => void;

/**
 * The path of the control-plane binary, built once a machine for each content of its module and version of Go,
 * by one process at a time.
 */
export async function buildControlPlane(log: Log): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'stellarctl-bed');
  const hash = await contentHash(await goVersion());
  const folder = join(cache, hash);
  const binary = join(folder, 'control-plane');
  if (existsSync(binary)) return binary;
  const waiting = () => log('another process is building the control planes: waiting for it');
  await withLock(`build ${hash}`, waiting, async () => {
    if (!existsSync(binary)) await buildInto(folder, log);
  });
  return binary;
}

/** Builds beside the folder and moves the result there, so that the folder is never half made. */
async function buildInto(folder: string, log: Log): Promise<void> {
  log(
    'building etcd, kube-apiserver and kube-controller-manager, once for this machine: 3 to 5 minutes the first time ' +
      '(fetches about 700 MB of Go modules and leaves 2 to 3 GB in the caches of Go)',
  );
  const began = Date.now();
  await mkdir(dirname(folder), { recursive: true });
  const scratch = await mkdtemp(`${folder}-`);
  try {
    await compile(join(scratch, 'control-plane'));
    await rm(folder, { recursive: true, force: true });
    await rename(scratch, folder);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  log(`built in ${Math.round((Date.now() - began) / 1000)} s`);
}

/** The version of Go on PATH, as `go1.26.1 linux/amd64`. */
async function goVersion(): Promise<string> {
  const needed = `The test bed builds its control planes with Go ${neededGo.join('.')} or newer: https://go.dev/dl`;
  const { stdout } = await run('go', ['version'], { cwd: module }).catch(
    (error: NodeJS.ErrnoException & { stderr?: string }) => {
      throw new Error(error.code === 'ENOENT' ? `go was not found. ${needed}` : `${error.stderr?.trim()}. ${needed}`);
    },
  );
  const [, version = '', major, minor] = /(go(\d+)\.(\d+)\S* \S+)/.exec(stdout) ?? [];
  const isEnough = Number(major) > neededGo[0] || (Number(major) === neededGo[0] && Number(minor) >= neededGo[1]);
  if (!isEnough) throw new Error(`${stdout.trim()} is too old. ${needed}`);
  return version;
}

async function contentHash(go: string): Promise<string> {
  const hash = createHash('sha256').update(go);
  for (const file of (await readdir(module)).sort())
    hash.update(`\0${file}\0`).update(await readFile(join(module, file)));
  return hash.digest('hex').slice(0, 16);
}

async function compile(output: string): Promise<void> {
  const { stdout: kubernetes } = await run('go', ['list', '-m', '-f', '{{.Version}}', 'k8s.io/kubernetes'], {
    cwd: module,
  });
  const gitVersion = kubernetes.trim();
  const [gitMajor, gitMinor] = gitVersion.slice(1).split('.');
  // Without these the servers call themselves v0.0.0-master.
  const settings = Object.entries({ gitVersion, gitMajor, gitMinor });
  const version = settings.map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`).join(' ');
  await run('go', ['build', '-trimpath', '-buildvcs=false', '-ldflags', `-s -w ${version}`, '-o', output, '.'], {
    cwd: module,
    env: { ...process.env, CGO_ENABLED: '0' },
    maxBuffer: 1 << 26,
  }).catch((error: Error & { stderr?: string }) => {
    throw new Error(`go build failed in test/bed/control-plane:\n${error.stderr ?? error.message}`);
  });
}
