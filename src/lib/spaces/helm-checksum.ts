import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * The SHA-256, in hexadecimal digits, of what an unpacked chart installs: of the sorted paths and contents of its values, their
 * schema, and all files in its folders. It is the same for a folder of a repository and each package of it, unlike that of the
 * package: helm writes the time and Chart.yaml anew.
 */
export async function checksumOf(chart: string): Promise<string> {
  const entries = await readdir(chart, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(chart, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
    .filter((file) => file.includes('/') || /^values\.(yaml|schema\.json)$/.test(file));
  const hash = createHash('sha256');
  for (const file of files.sort())
    hash
      .update(`${file}\0`)
      .update(await readFile(path.join(chart, file)))
      .update('\0');
  return hash.digest('hex');
}
