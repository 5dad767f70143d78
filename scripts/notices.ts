import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** A package that a bundle contains a part of. */
export interface Packed {
  name: string;
  version: string;
  license?: string;
}

/** Returns the notices required with a bundle of modules: name, version and licence of every package that it contains a part of. */
export async function noticesOf(modules: readonly string[], root: string): Promise<string> {
  const notices = await Promise.all(foldersOf(modules, root).map(noticeOf));
  return `stellarctl contains parts of the following packages.\n${notices.join('')}`;
}

/** Returns the packages that a bundle of modules contains parts of. */
export function packagesOf(modules: readonly string[], root: string): Promise<Packed[]> {
  return Promise.all(foldersOf(modules, root).map(readManifest));
}

function foldersOf(modules: readonly string[], root: string): string[] {
  const folders = new Set(modules.flatMap((module) => packageFolder(module) ?? []));
  return [...folders].sort().map((folder) => path.join(root, folder));
}

async function readManifest(folder: string): Promise<Packed> {
  return JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as Packed;
}

/** For example, node_modules/a/node_modules/@b/c/lib/d.js belongs to node_modules/a/node_modules/@b/c. */
function packageFolder(file: string): string | undefined {
  return /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

async function noticeOf(folder: string): Promise<string> {
  const { name, version, license } = await readManifest(folder);
  const files = (await readdir(folder))
    .filter((file) => /^(licen[cs]e|copying|copyright|notice)/i.test(file))
    .sort();
  if (files.length === 0 && license === undefined)
    throw new Error(`${name} says nothing about its license`);
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
  const heading = `${name} ${version} (${license ?? 'license as below'})`;
  return `\n${'='.repeat(80)}\n${heading}\n${'='.repeat(80)}\n\n${texts.map((text) => `${text.trim()}\n`).join('\n')}`;
}
