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

/** The same for a shell. */
export const startInShell = start.map((word) => `'${word}'`).join(' ');

/** The words that start stellarctl as a plugin of kubectl. */
export const startAsPlugin: readonly string[] = executable
  ? [pluginLink(executable)]
  : [process.execPath, pluginLink(path.join(bin, 'kubectl-stellar.cjs'))];

/** A link of the name by which kubectl finds its plugins, as npm and krew make one. */
function pluginLink(file: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'stellarctl-plugin-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const link = path.join(folder, 'kubectl-stellar');
  symlinkSync(file, link);
  return link;
}

/** Starts stellarctl as a user would. A failure is a result, not an exception. */
export function stellarctl(arguments_: readonly string[], options: Options = {}, [program = '', ...first] = start) {
  return execa(program, [...first, ...arguments_], { reject: false, ...options });
}
