import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { unpackTar } from 'modern-tar';

/** The files of a report, by their paths; without the folder that all of them are in, which has the time in its name. */
export async function readArchive(file: string): Promise<Map<string, string>> {
  const entries = await unpackTar(gunzipSync(await readFile(file)));
  return new Map(
    entries.map(({ header, data }) => [header.name.replace(/^[^/]+\//, ''), Buffer.from(data ?? []).toString('utf8')]),
  );
}
