import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from './lock.ts';
import { cacheFolder, machineEnvironment } from './machine.ts';

const run = promisify(execFile);
const neededGo = [1, 26] as const;

/** Reports progress, one line at a time. */
export type Log = (line: string) => void;

/** A program that is built from a Go module of the bed. */
export interface GoProgram {
  /** The file name of the binary. */
  name: string;
  /** The folder with go.mod and go.sum. */
  module: string;
  /** What to build: `.`, or the path of a package that the module depends on. */
  package: string;
  /** The module whose version the program reports. */
  versionOf: string;
  /** The linker's `-X` settings, given that version (`v1.2.3`). */
  settings: (version: string) => Record<string, string>;
  /** What is being built, and how long that takes, for messages. */
  title: string;
  duration: string;
}

/** The path of the binary, built once per machine for each content of its module and version of Go, by one process at a time. */
export async function buildGoProgram(program: GoProgram, log: Log): Promise<string> {
  const hash = await contentHash(program.module, await goVersion(program));
  const folder = join(cacheFolder(), hash);
  const binary = join(folder, program.name);
  if (existsSync(binary)) return binary;
  const waiting = () => log(`another process is building ${program.title}: waiting for it`);
  await withLock(`build ${hash}`, waiting, async () => {
    if (!existsSync(binary)) await buildInto(folder, program, log);
  });
  return binary;
}

/** Builds beside the folder and moves the result there, so the folder is never incomplete. */
async function buildInto(folder: string, program: GoProgram, log: Log): Promise<void> {
  log(`building ${program.title}, once for this machine: ${program.duration}`);
  const began = Date.now();
  await mkdir(dirname(folder), { recursive: true });
  const scratch = await mkdtemp(`${folder}-`);
  try {
    await compile(program, join(scratch, program.name), log);
    await rm(folder, { recursive: true, force: true });
    await rename(scratch, folder);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  log(`built in ${Math.round((Date.now() - began) / 1000)} s`);
}

/** The version of Go on PATH, as `go1.26.1 linux/amd64`. */
async function goVersion({ module, title }: GoProgram): Promise<string> {
  const needed = `The test bed builds ${title} with Go ${neededGo.join('.')} or newer: https://go.dev/dl`;
  const { stdout } = await run('go', ['version'], { cwd: module, env: machineEnvironment() }).catch(
    (error: NodeJS.ErrnoException & { stderr?: string }) => {
      throw new Error(error.code === 'ENOENT' ? `go was not found. ${needed}` : `${error.stderr?.trim()}. ${needed}`);
    },
  );
  const [, version = '', major, minor] = /(go(\d+)\.(\d+)\S* \S+)/.exec(stdout) ?? [];
  const isEnough = Number(major) > neededGo[0] || (Number(major) === neededGo[0] && Number(minor) >= neededGo[1]);
  if (!isEnough) throw new Error(`${stdout.trim()} is too old. ${needed}`);
  return version;
}

async function contentHash(module: string, go: string): Promise<string> {
  const hash = createHash('sha256').update(go);
  for (const file of (await readdir(module)).sort())
    hash.update(`\0${file}\0`).update(await readFile(join(module, file)));
  return hash.digest('hex').slice(0, 16);
}

async function compile(program: GoProgram, output: string, log: Log): Promise<void> {
  const { module, versionOf, settings } = program;
  const env = { ...machineEnvironment(), CGO_ENABLED: '0' };
  const { stdout } = await run('go', ['list', '-m', '-f', '{{.Version}}', versionOf], { cwd: module, env });
  const assignments = Object.entries(settings(stdout.trim())).map(([name, value]) => `-X ${name}=${value}`);
  const ldflags = ['-s', '-w', ...assignments].join(' ');
  const progress = new GoProgress(log);
  const go = async (args: readonly string[]): Promise<string> => {
    const running = run('go', args, { cwd: module, env, maxBuffer: 1 << 26 });
    running.child.stderr?.on('data', (chunk: Buffer) => progress.hear(chunk.toString()));
    const ended = await running.catch((error: Error & { stderr?: string }) => {
      throw new Error(`go ${args[0]} failed in ${module}:\n${error.stderr ?? error.message}`);
    });
    return ended.stdout;
  };
  try {
    const packages = await go(['list', '-deps', program.package]);
    progress.total = packages.split('\n').length - 1;
    await go(['build', '-v', '-trimpath', '-buildvcs=false', '-ldflags', ldflags, '-o', output, program.package]);
  } finally {
    progress.stop();
  }
}

const everyMs = 10_000;

/**
 * Derives the progress from Go's output, every ten seconds: `go: downloading MODULE VERSION`, and with -v each package that it
 * compiles.
 */
export class GoProgress {
  /** The number of packages to compile, unless they are in the cache of Go; 0 if unknown yet. */
  total = 0;
  #modules = 0;
  #packages = 0;
  #unfinished = '';
  readonly #began = Date.now();
  readonly #timer: NodeJS.Timeout;

  constructor(log: Log) {
    this.#timer = setInterval(() => log(this.line), everyMs);
  }

  /** Receives Go's stderr in arbitrary chunks. */
  hear(text: string): void {
    const lines = (this.#unfinished + text).split('\n');
    this.#unfinished = lines.pop() ?? '';
    for (const line of lines)
      if (line.startsWith('go: downloading ')) this.#modules += 1;
      else if (/^[\w.-]+(?:\/\S*)?$/.test(line)) this.#packages += 1;
  }

  get line(): string {
    const compiled = this.total === 0 ? 'none compiled yet' : `${this.#packages} of ${this.total} packages compiled`;
    return `${Math.round((Date.now() - this.#began) / 1000)} s: ${this.#modules} modules downloaded, ${compiled}`;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
