import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/**
 * Copies the files of a checkout that git does not ignore into a temporary folder. What is in its node_modules are links, but for the
 * cache, where a run of tests writes what it runs.
 */
export async function copyOf(root: string): Promise<string> {
  const listed = await promisify(execFile)(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { ...{ cwd: root, maxBuffer: 2 ** 26 } },
  );
  const copy = await mkdtemp(path.join(tmpdir(), 'stellarctl-copy-'));
  try {
    // Some tests run the sources as another user.
    await chmod(copy, 0o755);
    for (const file of listed.stdout
      .split('\0')
      .filter((each) => each !== '' && existsSync(path.join(root, each)))) {
      await mkdir(path.dirname(path.join(copy, file)), { recursive: true });
      await cp(path.join(root, file), path.join(copy, file), {
        verbatimSymlinks: true,
        preserveTimestamps: true,
      });
    }
    const packages = path.join(root, 'node_modules');
    const links = path.join(copy, 'node_modules');
    await mkdir(links);
    for (const name of await readdir(packages))
      if (name !== '.cache') await symlink(path.join(packages, name), path.join(links, name));
    return copy;
  } catch (error) {
    await rm(copy, { recursive: true, force: true });
    throw error;
  }
}
