import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while no other process runs under the same lock file. The file names its owner's process; one whose owner is
 * gone is taken over, so a killed owner blocks nobody.
 */
export async function withLock<T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  for (let waited = false; !(await acquire(file)); waited = true) {
    if (!waited) onWait();
    await sleep(500);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function acquire(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (await isAbandoned(file)) await rm(file, { force: true });
  return false;
}

async function isAbandoned(file: string): Promise<boolean> {
  const [owner, age] = await Promise.all([
    readFile(file, 'utf8').catch(() => undefined),
    stat(file)
      .then(({ mtimeMs }) => Date.now() - mtimeMs)
      .catch(() => 0),
  ]);
  if (owner === undefined) return false;
  // Between creating the file and writing into it there is a moment in which it names nobody.
  if (owner === '') return age > 5_000;
  return !isAlive(Number(owner));
}

/** Whether a process of this id runs (also one of another user). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
