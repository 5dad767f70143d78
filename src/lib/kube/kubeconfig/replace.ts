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
 * The name of a file that all its spellings have in common (`a`, `./a`, `/d//a`, and through links to its folder). It is followed as the
 * system does: `link/..` is not where the link stands. What the name itself leads to is left open, as is whether it exists.
 */
export function canonicalName(file: string): string {
  return path.join(canonicalFolder(path.dirname(file)), path.basename(file));
}

/** Of a folder that is not there, as much as there is. */
function canonicalFolder(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    const above = path.dirname(folder);
    return above === folder ? path.resolve(folder) : path.join(canonicalFolder(above), path.basename(folder));
  }
}

/** The file that a name leads to, through symbolic links; where there is none, the name. */
export function targetOf(file: string): string {
  return ifPresent(file, () => realpathSync.native(file)) ?? canonicalName(file);
}

/**
 * What a file holds that may be replaced. What is no file, as a pipe, holds nothing: it can be read only once, and never waits here.
 * @returns undefined for a file that is not there @throws StellarError `file-error`
 */
export const readFileIfPresent = (file: string): string | undefined =>
  ifPresent(file, () => (isSpecial(statSync(file)) ? '' : readFileSync(file, 'utf8')));

/** Neither a file nor a folder: a pipe, a device. */
const isSpecial = (stats: Stats): boolean => !stats.isFile() && !stats.isDirectory();

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

const notAFile = 'it is not a regular file';

/**
 * Finds out that a file cannot be replaced, as far as that is to be seen without writing: it is none, it or its folder may not be written
 * to or cannot be made.
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
  // The new content is written beside it.
  accessSync(folder, constants.W_OK | constants.X_OK);
}

/** The folder of a file, or where it would be made. */
function nearestFolder(file: string): string {
  const folder = path.dirname(file);
  const present = statIfPresent(folder);
  if (present === undefined) return nearestFolder(folder);
  if (!present.isDirectory()) throw new Error(`${folder} is not a folder`);
  return folder;
}

/** @throws StellarError `file-error` for a kubeconfig of which a part is no file: what that part holds cannot be referred to. */
export function requireFiles(files: readonly string[]): void {
  for (const file of files) {
    const present = statIfPresent(file);
    if (present !== undefined && isSpecial(present)) throw cannotWrite(file, new Error(notAFile));
  }
}

/**
 * Replaces a file's content, in one step unless it is a mount of its own: whoever reads it finds the old or the new. Symbolic links
 * stay; owner and mode stay, but nobody else may read it afterwards. The caller holds the file's lock: the temporary file has a fixed
 * name, so that what a killed process leaves does not stay for ever.
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
    moveOver(temporary, target);
  } catch (error) {
    if (!(error instanceof Damaged)) rmSync(temporary, { force: true });
    throw cannotWrite(file, error);
  }
}

/** A file that is a mount of its own, as `docker run -v FILE:FILE` makes it, cannot be replaced: it is written in place. */
function moveOver(temporary: string, target: string): void {
  try {
    renameSync(temporary, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EBUSY' && code !== 'EXDEV') throw error;
    writeInPlace(temporary, target);
    rmSync(temporary);
  }
}

/** As kubectl writes: owner and mode stay. Where that fails on the way, the file gets back what it held. @throws Damaged */
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

/** A file that holds neither the old nor the new. */
class Damaged extends Error {}

/** As root on somebody's file; others cannot give files away, and need not. */
function keepOwner(descriptor: number, { uid, gid }: { uid: number; gid: number }): void {
  try {
    fchownSync(descriptor, uid, gid);
  } catch {
    // Then it belongs to whoever has changed it.
  }
}

function cannotWrite(file: string, error: unknown): StellarError {
  const { code, message } = error as NodeJS.ErrnoException;
  const hasNoRoom = code === 'ENOSPC' || code === 'EDQUOT';
  return new StellarError('file-error', `The kubeconfig ${file} cannot be written: ${message}.`, {
    next: [
      inWords(
        hasNoRoom
          ? 'Free space there, and rerun the command'
          : 'Give a kubeconfig that can be written, for example a copy: --kubeconfig FILE',
      ),
    ],
    cause: error,
  });
}
