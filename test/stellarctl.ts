import path from 'node:path';
import { execa, type Options } from 'execa';

/** The command line as it is shipped: its boot file, which loads dist. */
export const bootFile = path.resolve(import.meta.dirname, '..', 'bin', 'stellarctl.cjs');

/** Starts stellarctl as a user would, with this Node. A failure is a result, not an exception. */
export function stellarctl(arguments_: readonly string[], options: Options = {}) {
  return execa(process.execPath, [bootFile, ...arguments_], { reject: false, ...options });
}
