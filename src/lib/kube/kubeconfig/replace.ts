import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { StellarError } from '../../engine/errors.ts';
import { inWords } from '../../engine/next-step.ts';

/**
 * One name for all spellings of a file (`a`, `./a`, `/d//a`, and through links to its folder). Follows the path as the system does:
 * `link/..` is not the folder that contains the link. Does not follow a link in the last segment, or check that the file exists.
 */
export function canonicalName(file: string): string {
  return path.join(canonicalFolder(path.dirname(file)), path.basename(file));
}

/** Resolves a folder; of a missing one, the part of its path that exists. */
function canonicalFolder(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    const above = path.dirname(folder);
    return above === folder ? path.resolve(folder) : path.join(canonicalFolder(above), path.basename(folder));
  }
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
export const readFileIfPresent = (file: string): string | undefined =>
  ifPresent(file, () => (isSpecial(statSync(file)) ? '' : readFileSync(file, 'utf8')));

/** Neither a file nor a folder: a pipe, a device. */
const isSpecial = (stats: Stats): boolean => !stats.isFile() && !stats.isDirectory();

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
  try {
    return mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined;
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

const notAFile = 'it is not a regular file';

/**
 * Checks that a file can be replaced, as far as possible without writing: it is a regular file, and it and its folder are writable
 * or can be created.
 * @throws StellarError `file-error`
 */
export function requireReplaceable(file: string): void {
  try {
    requireWritable(file, nearestFolder(targetOf(file)));
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

function requireWritable(file: string, folder: string): void {
  const present = statIfPresent(file);
  if (present !== undefined) {
    if (!present.isFile()) throw new Error(notAFile);
    accessSync(file, constants.W_OK);
  }
  // The new content is written to a file beside it.
  accessSync(folder, constants.W_OK | constants.X_OK);
}

/** The folder of a file, or the nearest existing one above it. */
function nearestFolder(file: string): string {
  const folder = path.dirname(file);
  const present = statIfPresent(folder);
  if (present === undefined) return nearestFolder(folder);
  if (!present.isDirectory()) throw new Error(`${folder} is not a folder`);
  return folder;
}

/** @throws StellarError `file-error` for a kubeconfig with a part that is not a regular file: its content cannot be referenced. */
export function requireFiles(files: readonly string[]): void {
  for (const file of files) {
    const present = statIfPresent(file);
    if (present !== undefined && isSpecial(present)) throw cannotWrite(file, new Error(notAFile));
  }
}

/**
 * Replaces a file's content, atomically unless the file is its own mount: a reader finds the old or the new content. Symbolic
 * links, owner and mode are kept, but only the owner can read it afterwards. The caller holds the file's lock: the temporary file
 * has a fixed name, so the leftover of a killed process is reused.
 * @throws StellarError `file-error`
 */
export function replaceFile(file: string, content: string): void {
  const target = targetOf(file);
  const temporary = `${target}.stellarctl.tmp`;
  try {
    requireWritable(file, path.dirname(target));
    const present = statIfPresent(target);
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
    replaceByRename(temporary, target);
  } catch (error) {
    if (!(error instanceof Damaged)) rmSync(temporary, { force: true });
    throw cannotWrite(file, error);
  }
}

/** A file that is its own mount, as with `docker run -v FILE:FILE`, cannot be replaced: it is written in place. */
function replaceByRename(temporary: string, target: string): void {
  try {
    renameSync(temporary, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EBUSY' && code !== 'EXDEV') throw error;
    writeInPlace(temporary, target);
    rmSync(temporary);
  }
}

/** Writes as kubectl does: owner and mode are kept. If the write fails, the file gets its old content again. @throws Damaged */
function writeInPlace(temporary: string, target: string): void {
  const write = (content: Buffer) => {
    writeFileSync(target, content, { flag: 'r+', flush: true });
    truncateSync(target, content.length);
  };
  const before = readFileSync(target);
  try {
    write(readFileSync(temporary));
  } catch (error) {
    try {
      write(before);
    } catch {
      throw new Damaged(`${(error as Error).message}; it is damaged; the intended content is in ${temporary}`);
    }
    throw error;
  }
}

/** A file with neither the old nor the new content. */
class Damaged extends Error {}

/** Applies to root on another user's file; other users cannot change owners, and need not. */
function keepOwner(descriptor: number, { uid, gid }: { uid: number; gid: number }): void {
  try {
    fchownSync(descriptor, uid, gid);
  } catch {
    // The file then belongs to the user who changed it.
  }
}

function cannotWrite(file: string, error: unknown): StellarError {
  const { code, message } = error as NodeJS.ErrnoException;
  const isDiskFull = code === 'ENOSPC' || code === 'EDQUOT';
  return new StellarError('file-error', `The kubeconfig ${file} cannot be written: ${message}.`, {
    next: [
      inWords(
        isDiskFull
          ? 'Free space there, and rerun the command'
          : 'Give a kubeconfig that can be written, for example a copy: --kubeconfig FILE',
      ),
    ],
    cause: error,
  });
}
