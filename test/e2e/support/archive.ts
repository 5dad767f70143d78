import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { unpackTar } from 'modern-tar';

/** The files of a report by path, without the top folder, whose name contains the time. */
export async function readArchive(file: string): Promise<Map<string, string>> {
  const entries = await unpackTar(gunzipSync(await readFile(file)));
  return new Map(
    entries.map(({ header, data }) => [
      header.name.replace(/^[^/]+\//, ''),
      Buffer.from(data ?? []).toString('utf8'),
    ]),
  );
}
