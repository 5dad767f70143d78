import { readFile, writeFile } from 'node:fs/promises';

/** Replaces text in a file. @throws Error if the file does not have it */
export async function replaceIn(file: string, from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`${file} does not have ${from}`);
  await writeFile(file, changed);
}
