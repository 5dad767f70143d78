import { createHash } from 'node:crypto';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
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
  const files = globSync('testbed/**/*.*', { cwd: root, withFileTypes: true }).filter((each) => !each.isDirectory());
  for (const file of files.map((each) => path.relative(root, path.join(each.parentPath, each.name))).sort())
    if (file !== record && !file.endsWith('.md'))
      hash
        .update(`${file}\0`)
        .update(readFileSync(path.join(root, file)))
        .update('\0');
  return hash.digest('hex');
}
