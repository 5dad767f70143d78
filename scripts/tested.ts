import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What was in testbed/ when its own tests passed last: a hash of its files. It is committed with the change that they tested. */
const record = path.join('testbed', 'tested.sha256');

/** Whether the bed's own tests have passed with its files as they are. */
export function isTested(root: string): boolean {
  try {
    return readFileSync(path.join(root, record), 'utf8').trim() === hashOf(root);
  } catch {
    return false;
  }
}

export function writeTested(root: string): void {
  writeFileSync(path.join(root, record), `${hashOf(root)}\n`);
}

/** Documents are no part of it. */
function hashOf(root: string): string {
  const hash = createHash('sha256');
  const isFolder = (file: string) => statSync(path.join(root, file)).isDirectory();
  for (const file of globSync('testbed/**/*.*', { cwd: root }).sort())
    if (file !== record && !file.endsWith('.md') && !isFolder(file))
      hash
        .update(`${file}\0`)
        .update(readFileSync(path.join(root, file)))
        .update('\0');
  return hash.digest('hex');
}
