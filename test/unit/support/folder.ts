import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';

const newFolder = () => mkdtempSync(path.join(tmpdir(), 'stellarctl-unit-'));
const remove = (folder: string) => rmSync(folder, { recursive: true, force: true });

/** A folder of this test file, or of the suite or test that makes it, which is removed after it. */
export function temporaryFolder(): string {
  const folder = newFolder();
  after(() => remove(folder));
  return folder;
}

// Of all test files of this process.
const root = newFolder();
process.once('exit', () => remove(root));
let count = 0;

/** A path at which nothing exists, in a folder of this process. */
export const newPath = () => path.join(root, String(count++));

/** The permissions of a file, in octal. */
export const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

/** Writes a file into one folder of this process. @returns its path */
export function written(name: string, content: string, mode = 0o600): string {
  const file = path.join(root, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content, { mode });
  return file;
}

/** Writes a file into a folder of its own: other test files of this process may use its name. @returns its path */
export const writtenApart = (name: string, content: string, mode?: number) =>
  written(path.join(String(count++), name), content, mode);
