import { randomUUID } from 'node:crypto';
import { access, constants, lstat, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { StellarError } from '../engine/errors.ts';

/**
 * Creates a file that only its owner can read (mode 0600, regardless of the umask).
 * @throws StellarError `file-error`, also if the file already exists
 */
export async function createPrivately(file: string, content: string): Promise<void> {
  try {
    await writeNew(file, content);
  } catch (error) {
    throw unwritable(file, error);
  }
}

/**
 * Writes a file that only its owner can read (mode 0600, regardless of the umask). The write is atomic: it goes through a temporary
 * file in the same directory, and an interruption leaves either the old content or the new.
 * @throws StellarError `file-error`, also for a target that is not a regular file
 */
export async function writePrivately(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await refuseSpecialFile(file);
    await writeNew(temporary, content);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw unwritable(file, error);
  }
}

/** Checks that a file can be written, before its content is requested. @throws StellarError `file-error` */
export async function checkWritable(file: string): Promise<void> {
  const directory = path.dirname(path.resolve(file));
  try {
    await refuseSpecialFile(file);
    await access(directory, constants.W_OK);
  } catch (error) {
    throw unwritable(file, error);
  }
}

const unwritable = (file: string, error: unknown): StellarError =>
  new StellarError('file-error', `${file} cannot be written: ${whyOf(error as NodeJS.ErrnoException)}.`, {
    cause: error,
  });

const whyOf = ({ code, message }: NodeJS.ErrnoException): string =>
  code === 'ENOENT' ? 'its directory does not exist' : message;

/** Whether the path exists, whatever its type. */
export async function isPresent(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

async function refuseSpecialFile(file: string): Promise<void> {
  const present = await lstat(file).catch(() => undefined);
  if (present !== undefined && !present.isFile()) throw new Error('it is not a regular file');
}

async function writeNew(file: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(content);
  } catch (error) {
    await rm(file, { force: true }).catch(() => {});
    throw error;
  } finally {
    await handle.close();
  }
}
