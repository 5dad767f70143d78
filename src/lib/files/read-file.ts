import { readFileSync, statSync } from 'node:fs';

/**
 * Reads a text file. A regular file is read at once: to read in the background, Node loads node:fs/promises and starts four threads,
 * a tenth of its start-up time. Other files, such as a shell's `<(…)`, may have nothing to read yet.
 * @throws Node's errors
 */
export async function readFile(file: string, signal?: AbortSignal): Promise<string> {
  const isRegular = statSync(file, { throwIfNoEntry: false })?.isFile() !== false;
  if (isRegular) return readFileSync(file, 'utf8');
  const inBackground = await import('node:fs/promises');
  return inBackground.readFile(file, { encoding: 'utf8', signal });
}
