import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfInterrupted } from '../../engine/deadline.ts';
import { readFile } from '../../files/read-file.ts';

/** A file that changed within this time may be half written. */
const freshMs = 1000;
/** How long to wait for it to become complete. */
const writingMs = 300;

/**
 * Reads a file that other programs change in place, as kubectl does with a kubeconfig: a file that just changed, and is empty or
 * cannot be parsed, is read once more after a moment. Also reads pipes, such as a shell's `<(…)`.
 * @param understand parses the text
 * @returns undefined for a file that does not exist
 * @throws StellarError `interrupted`; Node's errors; errors of `understand`
 */
export async function readWhole<T>(
  file: string,
  signal: AbortSignal,
  understand: (text: string) => Promise<T>,
): Promise<T | undefined> {
  try {
    const text = await readFile(file, signal);
    if (!isFresh(file)) return await understand(text);
    try {
      const understood = await understand(text);
      if (text.trim() !== '') return understood;
    } catch {
      // Read again below.
    }
    await sleep(writingMs, undefined, { signal });
    return await understand(await readFile(file, signal));
  } catch (error) {
    throwIfInterrupted(signal);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** A pipe can be read only once. */
function isFresh(file: string): boolean {
  const found = statSync(file);
  return found.isFile() && Math.abs(Date.now() - found.mtimeMs) < freshMs;
}
