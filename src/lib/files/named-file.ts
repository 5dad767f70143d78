import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { StellarError } from '../engine/errors.ts';

/** Reads a file that the user names. @param what it should be, as `join file` @throws StellarError `usage` */
export async function readNamed(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new StellarError('usage', `The ${what} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}

/** Like readNamed; `-` reads stdin. */
export const readNamedOrStdin = (file: string, what: string, stdin: NodeJS.ReadableStream): Promise<string> =>
  file === '-' ? text(stdin) : readNamed(file, what);
