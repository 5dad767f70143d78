import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfInterrupted } from '../../engine/deadline.ts';
import { readFile, stat } from '../../files/read-file.ts';

/** A file that was changed within this time may be half written. */
const freshMs = 1000;
/** How long it is given to become whole. */
const writingMs = 300;

/**
 * Reads a file that other programs change in place, as kubectl does a kubeconfig: one that was just changed, and is empty or cannot be
 * understood, is read once more after a moment. Also reads pipes, as a shell makes of `<(…)`.
 *
 * @param understand makes something of the text
 * @returns undefined for a file that is not there
 * @throws StellarError `interrupted`; Node's errors; what `understand` throws
 */
export async function readWhole<T>(
  file: string,
  signal: AbortSignal,
  understand: (text: string) => Promise<T>,
): Promise<T | undefined> {
  try {
    const text = await readFile(file, { encoding: 'utf8', signal });
    const mayBeHalf = await isFresh(file);
    if (!mayBeHalf) return await understand(text);
    try {
      const understood = await understand(text);
      if (text.trim() !== '') return understood;
    } catch {
      // Read again below.
    }
    await sleep(writingMs, undefined, { signal });
    return await understand(await readFile(file, { encoding: 'utf8', signal }));
  } catch (error) {
    throwIfInterrupted(signal);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** A pipe can be read only once. */
async function isFresh(file: string): Promise<boolean> {
  const found = await stat(file);
  return found.isFile() && Math.abs(Date.now() - found.mtimeMs) < freshMs;
}
