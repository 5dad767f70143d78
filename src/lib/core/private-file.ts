import { randomUUID } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { StellarError } from './errors.ts';
import { type NextStep, run } from './next-step.ts';

/**
 * Creates a file that only its owner can read (mode 0600, regardless of the umask).
 * @throws StellarError `file-error`, also if the file already exists
 */
export async function createPrivately(file: string, content: string): Promise<void> {
  reporting(file, () => writeNew(file, content));
}

/**
 * Writes a file that only its owner can read, atomically.
 * @throws StellarError `file-error`, also for a target that is not a regular file
 */
export async function writePrivately(file: string, content: string | Uint8Array): Promise<void> {
  reporting(file, () => {
    refuseSpecialFile(file);
    replaceFile(file, content);
  });
}

/**
 * Checks the target of a command before its content is requested.
 * @param toReplace the command that replaces a file; undefined if this one does
 * @throws StellarError `file-error`
 */
export async function checkTarget(file: string, toReplace: string | undefined): Promise<void> {
  reporting(file, () => {
    refuseSpecialFile(file);
    accessSync(path.dirname(path.resolve(file)), constants.W_OK);
  });
  if (toReplace === undefined || !lstatSync(file, { throwIfNoEntry: false })) return;
  throw new StellarError(
    'file-error',
    `${file} already exists and was not replaced.`,
    run(toReplace, 'To replace it'),
  );
}

interface Owner {
  uid: number;
  gid: number;
}

/**
 * Replaces a file by one that only its owner can read (mode 0600, regardless of the umask), through a temporary file in the same
 * folder: a reader finds the old or the new content, and so does an interruption.
 * @param owner who owns it afterwards, as far as this user may change that; default: this user
 * @throws Node's errors
 */
export function replaceFile(file: string, content: string | Uint8Array, owner?: Owner): void {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    writeNew(temporary, content, owner);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function writeNew(file: string, content: string | Uint8Array, owner?: Owner) {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    if (owner !== undefined) giveTo(owner, descriptor);
    fchmodSync(descriptor, 0o600);
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Applies to root on another user's file; other users cannot change owners, and need not. */
function giveTo({ uid, gid }: Owner, descriptor: number) {
  try {
    fchownSync(descriptor, uid, gid);
  } catch {
    // The file then belongs to the user who changed it.
  }
}

function refuseSpecialFile(file: string) {
  const present = lstatSync(file, { throwIfNoEntry: false });
  if (present?.isFile() === false) throw new Error('it is not a regular file');
}

/** @param next what helps @throws StellarError `file-error` */
export function reporting<T>(file: string, write: () => T, next: NextStep[] = []): T {
  try {
    return write();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'its directory does not exist' : message;
    throw new StellarError('file-error', `${file} cannot be written: ${why}.`, ...next).with({
      cause: error,
    });
  }
}
