import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

interface Manifest {
  name: string;
  version: string;
  license?: string;
}

/** The notices that must travel with a bundle of modules: name, version and licence of every package that it holds a part of. */
export async function noticesOf(modules: readonly string[], root: string): Promise<string> {
  const folders = [...new Set(modules.flatMap((module) => packageFolder(module) ?? []))].sort();
  const notices = await Promise.all(folders.map((folder) => noticeOf(path.join(root, folder))));
  return `stellarctl contains parts of the following packages.\n${notices.join('')}`;
}

/** node_modules/a/node_modules/@b/c/lib/d.js belongs to node_modules/a/node_modules/@b/c. */
function packageFolder(file: string): string | undefined {
  return /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

async function noticeOf(folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as Manifest;
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|copyright|notice)/i.test(file)).sort();
  if (files.length === 0 && license === undefined) throw new Error(`${name} says nothing about its license`);
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
  const heading = `${name} ${version} (${license ?? 'license as below'})`;
  return `\n${'='.repeat(80)}\n${heading}\n${'='.repeat(80)}\n\n${texts.map((text) => `${text.trim()}\n`).join('\n')}`;
}
