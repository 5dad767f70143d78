import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { StellarError } from '../errors.ts';

/** The file that a name leads to, through symbolic links, whether it exists or not. */
export function targetOf(file: string): string {
  let target = path.resolve(file);
  // As many links as Linux follows.
  for (let links = 0; links < 40; links++) {
    const link = target;
    if (!ifPresent(file, () => lstatSync(link))?.isSymbolicLink()) return target;
    target = path.resolve(path.dirname(target), readlinkSync(target));
  }
  throw new StellarError('file-error', `${file} is a symbolic link that leads nowhere.`);
}

/** @returns undefined for a file that is not there @throws StellarError `file-error` */
export const readFileIfPresent = (file: string): string | undefined =>
  ifPresent(file, () => readFileSync(file, 'utf8'));

/** The same for what is known of a file, behind symbolic links. */
export const statIfPresent = (file: string): Stats | undefined => ifPresent(file, () => statSync(file));

function ifPresent<T>(file: string, look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new StellarError('file-error', `${file} cannot be read: ${message}.`, { cause: error });
  }
}

/** Makes the folder of a file, for its owner only. @returns false where it was there @throws StellarError `file-error` */
export function makeFolderOf(file: string): boolean {
  const folder = path.dirname(targetOf(file));
  try {
    return mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined;
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

/**
 * Replaces a file's content in one step: whoever reads it finds the old or the new. Symbolic links stay; owner and mode stay, but
 * nobody else may read it afterwards. The caller holds the file's lock: the temporary file has a fixed name, so that what a killed
 * process leaves does not stay for ever.
 * @throws StellarError `file-error`
 */
export function replaceFile(file: string, content: string): void {
  const target = targetOf(file);
  const temporary = `${target}.stellarctl.tmp`;
  try {
    const present = statIfPresent(target);
    if (present !== undefined) {
      if (!present.isFile()) throw new Error('it is not a regular file');
      accessSync(target, constants.W_OK);
    }
    rmSync(temporary, { force: true });
    const descriptor = openSync(temporary, 'wx', 0o600);
    try {
      if (present !== undefined) keepOwner(descriptor, present);
      fchmodSync(descriptor, (present?.mode ?? 0o600) & 0o600);
      writeFileSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw cannotWrite(file, error);
  }
}

/** As root on somebody's file; others cannot give files away, and need not. */
function keepOwner(descriptor: number, { uid, gid }: { uid: number; gid: number }): void {
  try {
    fchownSync(descriptor, uid, gid);
  } catch {
    // Then it belongs to whoever has changed it.
  }
}

function cannotWrite(file: string, error: unknown): StellarError {
  return new StellarError('file-error', `${file} cannot be written: ${(error as Error).message}.`, { cause: error });
}
