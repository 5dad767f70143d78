import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../plane/lock.ts';
import { cacheFolder, machineEnvironment } from '../plane/machine.ts';

const run = promisify(execFile);

/** The packages that a program needs beside Debian's and Ubuntu's base system. */
const packagesOf = {
  bash: [],
  jq: ['jq', 'libjq1', 'libonig5'],
  zsh: ['zsh', 'zsh-common'],
  fish: ['fish', 'fish-common', 'libpcre2-32-0'],
} as const;

export type ProgramName = keyof typeof packagesOf;

/** A program, and what it needs if it was not installed. */
export interface FoundProgram {
  path: string;
  env: Record<string, string>;
  /** For zsh: the folder of the file that it reads first (`.zshenv`). */
  firstLines: string[];
}

/**
 * A program of this machine, or one that is unpacked from the packages of Debian or Ubuntu, once per machine; nothing is installed.
 * @returns the reason if there is none
 */
export async function findProgram(name: ProgramName): Promise<FoundProgram | string> {
  const installed = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  const path = installed.find((file) => existsSync(file));
  if (path !== undefined) return { path, env: {}, firstLines: [] };
  const root = join(cacheFolder(), 'debian', name);
  try {
    await withLock(
      `debian ${name}`,
      () => {},
      async () => {
        if (!existsSync(root)) await unpack(packagesOf[name], root);
      },
    );
    return await unpacked(name, root);
  } catch (error) {
    return `${name} is not installed, and could not be had from Debian: ${(error as Error).message.split('\n')[0]}`;
  }
}

/** Downloads packages as this user, with separate package lists: those of the system may be missing or old. */
async function unpack(packages: readonly string[], root: string): Promise<void> {
  await mkdir(join(root, '..'), { recursive: true });
  const scratch = await mkdtemp(`${root}-`);
  try {
    const [state, cache, tree] = [
      join(scratch, 'state'),
      join(scratch, 'cache'),
      join(scratch, 'tree'),
    ];
    for (const folder of [
      join(state, 'lists', 'partial'),
      join(cache, 'archives', 'partial'),
      tree,
    ])
      await mkdir(folder, { recursive: true });
    const own = [
      '-o',
      `Dir::State=${state}`,
      '-o',
      'Dir::State::status=/var/lib/dpkg/status',
      '-o',
      `Dir::Cache=${cache}`,
    ];
    const env = machineEnvironment();
    await run('apt-get', ['update', ...own], { env, maxBuffer: 1 << 26 });
    await run('apt-get', ['download', ...own, ...packages], { env, cwd: scratch });
    for (const file of (await readdir(scratch)).filter((each) => each.endsWith('.deb')))
      await run('dpkg-deb', ['--extract', join(scratch, file), tree]);
    // fish looks for this next to its own folder.
    if (existsSync(join(tree, 'etc'))) await symlink('../etc', join(tree, 'usr', 'etc'));
    await rename(tree, root);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** How an unpacked program finds its own parts. */
async function unpacked(name: ProgramName, root: string): Promise<FoundProgram> {
  const files = await readdir(root, { recursive: true });
  const find = (pattern: RegExp) =>
    files.filter((file) => pattern.test(file)).map((file) => join(root, file));
  const [path = ''] = find(new RegExp(`^(?:usr/)?bin/${name}$`));
  if (name !== 'zsh') {
    const [library = ''] = find(/\/lib[^/]+\.so\.\d+$/);
    return { path, env: { LD_LIBRARY_PATH: dirname(library) }, firstLines: [] };
  }
  const [zle = ''] = find(/\/zsh\/zle\.so$/);
  const functions = join(root, 'usr', 'share', 'zsh', 'functions');
  return {
    path,
    env: {},
    firstLines: [`module_path=(${dirname(dirname(zle))})`, `fpath=(${functions}/**/*(/))`],
  };
}
