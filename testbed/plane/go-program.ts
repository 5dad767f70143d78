import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { requiredFolder } from './go-module.ts';
import { overlayFlags } from './go-overlay.ts';
import { withLock } from './lock.ts';
import { cacheFolder, machineEnvironment } from './machine.ts';

const run = promisify(execFile);
const neededGo = [1, 26] as const;

/** Reports progress, one line at a time. */
export type Log = (line: string) => void;

/** A program of a Go module. */
export interface GoBinary {
  /** The file name of the binary. */
  name: string;
  /** What to build: a folder of the module (`.`), or the path of a package that it depends on. */
  package: string;
  /** The linker's `-X` settings. */
  settings?: Record<string, string>;
}

/** Programs that are built from one Go module of the bed. */
export interface GoModule {
  /** The folder with go.mod and go.sum. */
  module: string;
  binaries: readonly GoBinary[];
  /** The folders of the overlays that it is compiled with (go-overlay.ts), if any. */
  overlays?: readonly string[];
  /** Folders of modules that belong to it, by their names in the result. */
  folders?: Record<string, { module: string; path: string }>;
  /** What is being built, and how long that takes, for messages. */
  title: string;
  duration: string;
}

/**
 * The folder of the binaries, built once per machine for each content of their module, settings and version of Go, by one process at a
 * time, and one binary after the other: linking a large one takes 2 GB of memory.
 */
export async function buildGoModule(module: GoModule, log: Log): Promise<string> {
  const hash = await contentHash(module, await goVersion(module));
  const folder = join(cacheFolder(), hash);
  if (existsSync(folder)) return folder;
  const waiting = () => log(`another process is building ${module.title}: waiting for it`);
  await withLock(`build ${hash}`, waiting, async () => {
    if (!existsSync(folder)) await buildInto(folder, module, log);
  });
  return folder;
}

/** Builds the small program in the folder `module` of a part of the bed. @param part the folder of that part @returns its path */
export async function buildGoProgram(
  part: string,
  name: string,
  title: string,
  log: Log,
): Promise<string> {
  const module = {
    module: join(part, 'module'),
    binaries: [{ name, package: '.' }],
    title,
    duration: 'some seconds',
  };
  return join(await buildGoModule(module, log), name);
}

/** Builds beside the folder and moves the result there, so the folder is never incomplete. */
async function buildInto(folder: string, module: GoModule, log: Log): Promise<void> {
  log(`building ${module.title}, once for this machine: ${module.duration}`);
  const began = Date.now();
  await mkdir(dirname(folder), { recursive: true });
  const scratch = await mkdtemp(`${folder}-`);
  try {
    await compile(module, scratch, log);
    await rename(scratch, folder);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  log(`built in ${Math.round((Date.now() - began) / 1000)} s`);
}

/** The version of Go on PATH, as `go1.26.1 linux/amd64`. */
async function goVersion({ module, title }: GoModule): Promise<string> {
  const needed = `The test bed builds ${title} with Go ${neededGo.join('.')} or newer: https://go.dev/dl`;
  const { stdout } = await run('go', ['version'], { cwd: module, env: machineEnvironment() }).catch(
    (error: NodeJS.ErrnoException & { stderr?: string }) => {
      throw new Error(
        error.code === 'ENOENT'
          ? `go was not found. ${needed}`
          : `${error.stderr?.trim()}. ${needed}`,
      );
    },
  );
  const [, version = '', major, minor] = /(go(\d+)\.(\d+)\S* \S+)/.exec(stdout) ?? [];
  const isEnough =
    Number(major) > neededGo[0] || (Number(major) === neededGo[0] && Number(minor) >= neededGo[1]);
  if (!isEnough) throw new Error(`${stdout.trim()} is too old. ${needed}`);
  return version;
}

async function contentHash(
  { module, binaries, folders, overlays = [] }: GoModule,
  go: string,
): Promise<string> {
  const hash = createHash('sha256').update(`${go}\0${JSON.stringify([binaries, folders])}`);
  for (const folder of [module, ...overlays]) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort())
      hash.update(`\0${relative(folder, file)}\0`).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 16);
}

async function compile(
  { module, binaries, folders = {}, overlays = [] }: GoModule,
  folder: string,
  log: Log,
): Promise<void> {
  const env = { ...machineEnvironment(), CGO_ENABLED: '0' };
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
    const packages = await go(['list', '-deps', ...binaries.map((binary) => binary.package)]);
    progress.total = packages.split('\n').length - 1;
    const generated = join(folder, 'overlay');
    const flags = overlays.length === 0 ? [] : await overlayFlags(overlays, module, generated);
    for (const { name, package: path, settings = {} } of binaries) {
      const ldflags = [
        '-s',
        '-w',
        ...Object.entries(settings).map(([key, value]) => `-X ${key}=${value}`),
      ].join(' ');
      const output = join(folder, name);
      await go([
        'build',
        '-v',
        '-trimpath',
        '-buildvcs=false',
        ...flags,
        '-ldflags',
        ldflags,
        '-o',
        output,
        path,
      ]);
    }
    await rm(generated, { recursive: true, force: true });
    for (const [name, from] of Object.entries(folders)) {
      await cp(join(await requiredFolder(module, from.module), from.path), join(folder, name), {
        recursive: true,
      });
      // The folders of modules are read-only.
      await run('chmod', ['-R', 'u+w', join(folder, name)]);
    }
  } finally {
    progress.stop();
  }
}

const everyMs = 10_000;

/**
 * Derives the progress from Go's output, every ten seconds: `go: downloading MODULE VERSION`, and with -v each package that it
 * compiles.
 */
class GoProgress {
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
    const compiled =
      this.total === 0
        ? 'none compiled yet'
        : `${this.#packages} of ${this.total} packages compiled`;
    return `${Math.round((Date.now() - this.#began) / 1000)} s: ${this.#modules} modules downloaded, ${compiled}`;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
