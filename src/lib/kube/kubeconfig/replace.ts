import { accessSync, constants, mkdirSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { StellarError } from '../../core/errors.ts';
import { advice } from '../../core/next-step.ts';
import { replaceFile } from '../../core/private-file.ts';

/**
 * One name for all spellings of a file (`a`, `./a`, `/d//a`, and through links to its folder). Follows the path as the system does:
 * `link/..` is not the folder that contains the link. Does not follow a link in the last segment, or check that the file exists.
 */
export function canonicalName(file: string): string {
  const folder = path.dirname(file);
  return path.join(ifPresent(file, () => realpathSync.native(folder)) ?? path.resolve(folder), path.basename(file));
}

/** The target of a name through symbolic links; the name itself if the target does not exist. */
export function targetOf(file: string): string {
  return ifPresent(file, () => realpathSync.native(file)) ?? canonicalName(file);
}

/**
 * The content of a file that may be replaced. A pipe or another special file counts as empty: it can be read only once, and must
 * not block here.
 * @returns undefined for a file that does not exist
 * @throws StellarError `file-error`
 */
export function readFileIfPresent(file: string): string | undefined {
  const present = statIfPresent(file);
  const isSpecial = present?.isFile() === false && !present.isDirectory();
  return isSpecial ? '' : ifPresent(file, () => readFileSync(file, 'utf8'));
}

/** The same for the status of a file, behind symbolic links. */
export const statIfPresent = (file: string): Stats | undefined => ifPresent(file, () => statSync(file));

function ifPresent<T>(file: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new StellarError('file-error', `${file} cannot be read: ${message}.`, { cause: error });
  }
}

/** Creates the folder of a file, for its owner only. @returns false if it already exists @throws StellarError `file-error` */
export function makeFolderOf(file: string): boolean {
  const folder = path.dirname(targetOf(file));
  return orCannotWrite(file, () => mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined);
}

/**
 * Checks that a kubeconfig can be replaced, as far as possible without writing: it is a regular file, and it and its folder are
 * writable, if they exist.
 * @throws StellarError `file-error`
 */
export function requireReplaceable(file: string): void {
  orCannotWrite(file, () => {
    const present = statIfPresent(file);
    if (present?.isFile() === false) throw new Error('it is not a regular file');
    if (present !== undefined) accessSync(file, constants.W_OK);
    // The new content is written to a file beside it.
    const folder = path.dirname(targetOf(file));
    ifPresent(folder, () => accessSync(folder, constants.W_OK | constants.X_OK));
  });
}

/** Replaces a kubeconfig atomically; symbolic links and the owner are kept. @throws StellarError `file-error` */
export function replaceKubeconfig(file: string, content: string): void {
  requireReplaceable(file);
  orCannotWrite(file, () => replaceFile(targetOf(file), content, statIfPresent(file)));
}

function orCannotWrite<T>(file: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw new StellarError('file-error', `The kubeconfig ${file} cannot be written: ${(error as Error).message}.`, {
      next: [advice('Give a kubeconfig that can be written, for example a copy: --kubeconfig FILE')],
      cause: error,
    });
  }
}
