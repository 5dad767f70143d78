import { cp, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { docker, dockerSucceeds } from './docker.ts';
import { engineFolder, hashOf } from './folder.ts';
import { type RootFs, rootFs } from './root-fs.ts';

/** How an image is built. */
export interface Recipe {
  /** The tag of the image that it is built on. */
  on: string;
  /** By path in the image: the path of a file or folder, or the text of an executable file. */
  files?: Record<string, string | { text: string }>;
  /** Further lines of the Dockerfile. */
  lines?: readonly string[];
}

const repository = 'stellarctl-engine';

/** The tag of the image of a root file system. */
export async function rootImage(name: RootFs, log: (line: string) => void): Promise<string> {
  const tar = await rootFs(name, log);
  const tag = `${repository}/root:${tar.slice(tar.lastIndexOf('/') + 1, -'.tar'.length)}`;
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  if (!(await isPresent(tag))) await docker('import', '--change', `ENV ${path}`, tar, tag);
  return tag;
}

/** Builds an image, unless one of the same content is there. @returns its tag */
export async function buildImage(
  name: string,
  { on, files = {}, lines = [] }: Recipe,
): Promise<string> {
  const sources = await Promise.all(Object.values(files).map(identityOf));
  const tag = `${repository}/${name}:${hashOf(on, ...Object.keys(files), ...sources, ...lines)}`;
  if (await isPresent(tag)) return tag;
  const context = await mkdtemp(join(engineFolder(), 'context-'));
  try {
    const copies: string[] = [];
    for (const [index, [path, source]] of Object.entries(files).entries()) {
      const own = join(context, String(index));
      if (typeof source === 'string') await cp(source, own, { recursive: true });
      else await writeFile(own, source.text, { mode: 0o755 });
      copies.push(`COPY ${index} ${path}`);
    }
    await writeFile(
      join(context, 'Dockerfile'),
      [`FROM ${on}`, ...copies, ...lines, ''].join('\n'),
    );
    await docker('build', '--quiet', '--tag', tag, context);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
  return tag;
}

export const isPresent = (tag: string): Promise<boolean> => dockerSucceeds('image', 'inspect', tag);

async function identityOf(source: string | { text: string }): Promise<string> {
  if (typeof source !== 'string') return source.text;
  const { size, mtimeMs } = await stat(source);
  return `${source} ${size} ${mtimeMs}`;
}
