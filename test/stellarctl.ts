import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa, type Options } from 'execa';

const bin = path.resolve(import.meta.dirname, '..', 'bin');
/** The file that npm installs as stellarctl: it loads dist. */
export const bootFile = path.join(bin, 'stellarctl.cjs');

/** The executable that is tested instead of dist, if STELLARCTL_EXECUTABLE is set. */
export const executable =
  process.env.STELLARCTL_EXECUTABLE && path.resolve(process.env.STELLARCTL_EXECUTABLE);

/** The command that starts stellarctl, as shipped. */
export const start: readonly string[] = executable ? [executable] : [process.execPath, bootFile];

/** The command that starts stellarctl as a plugin of kubectl, and its completion. */
export const startAsPlugin = startByLink('kubectl-stellar');
export const startOfCompletion = startByLink('kubectl_complete-stellar');

/** By a link with the name that kubectl looks for, as created by npm and krew. */
function startByLink(name: string): readonly string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'stellarctl-plugin-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const link = path.join(folder, name);
  symlinkSync(executable || path.join(bin, `${name}.cjs`), link);
  return executable ? [link] : [process.execPath, link];
}

/** The start command, quoted for a shell. */
export const inShell = (words: readonly string[]) => words.map((word) => `'${word}'`).join(' ');

/** Starts stellarctl as a user would. A failure is a result, not an exception. */
export function stellarctl(
  arguments_: readonly string[],
  options: Options = {},
  [program = '', ...first] = start,
) {
  return execa(program, [...first, ...arguments_], { reject: false, ...options });
}
