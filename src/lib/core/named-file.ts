import { readFile, stat } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { StellarError } from './errors.ts';

/**
 * Reads a file that the user names, or a pipe of the shell such as `<(command)`. Other pipes and devices may never end.
 * @param what it should be, as `join file` @throws StellarError `usage`
 */
export async function readNamed(file: string, what: string): Promise<string> {
  try {
    const stats = await stat(file);
    if (!stats.isFile() && !/^\/(?:dev\/(?:fd\/|stdin$)|proc\/)/.test(file))
      throw new StellarError('usage', `The ${what} cannot be read: ${file} is not a file.`);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof StellarError) throw error;
    const { code = '', message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? `there is no file ${file}` : message;
    throw new StellarError('usage', `The ${what} cannot be read: ${why}.`).with({ cause: error });
  }
}

/** Like readNamed; `-` reads stdin. */
export const readNamedOrStdin = (file: string, what: string, stdin: NodeJS.ReadableStream) =>
  file === '-' ? text(stdin) : readNamed(file, what);
