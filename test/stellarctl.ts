import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa, type Options } from 'execa';

const bin = path.resolve(import.meta.dirname, '..', 'bin');
/** What npm installs as stellarctl: it loads dist. */
export const bootFile = path.join(bin, 'stellarctl.cjs');

/** The one-file executable that is tested instead of dist, where STELLARCTL_EXECUTABLE names one. */
export const executable = process.env.STELLARCTL_EXECUTABLE && path.resolve(process.env.STELLARCTL_EXECUTABLE);

/** The words that start stellarctl, as they are shipped. */
export const start: readonly string[] = executable ? [executable] : [process.execPath, bootFile];

/** The words that start stellarctl as a plugin of kubectl, and what completes such command lines. */
export const startAsPlugin = startByLink('kubectl-stellar');
export const startOfCompletion = startByLink('kubectl_complete-stellar');

/** By a link of the name that kubectl looks for, as npm and krew make one. */
function startByLink(name: string): readonly string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'stellarctl-plugin-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const link = path.join(folder, name);
  symlinkSync(executable || path.join(bin, `${name}.cjs`), link);
  return executable ? [link] : [process.execPath, link];
}

/** The words of a start for a shell. */
export const inShell = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');

/** Starts stellarctl as a user would. A failure is a result, not an exception. */
export function stellarctl(arguments_: readonly string[], options: Options = {}, [program = '', ...first] = start) {
  return execa(program, [...first, ...arguments_], { reject: false, ...options });
}
