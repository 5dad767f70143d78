import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { NodeForExecutable } from './executable/make.ts';

/** Installs a package into a new folder. */
export async function install(folder: string, what: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  // Only Node's package has an install script. npm runs it only if it is allowed by name.
  await writeFile(
    path.join(folder, 'package.json'),
    JSON.stringify({ private: true, allowScripts: { node: true } }),
  );
  await execa('npm', ['install', '--no-audit', '--no-fund', what], { cwd: folder });
}

/** Installs a Node for this machine. @returns its program and its licence */
export async function nodeFromNpm(folder: string, version: string): Promise<NodeForExecutable> {
  await install(folder, `node@${version}`);
  const place = path.join(folder, 'node_modules', 'node');
  const isWindows = process.platform === 'win32';
  const packed = `node-${isWindows ? 'win' : process.platform}-${process.arch}`;
  return {
    node: path.join(place, 'bin', isWindows ? 'node.exe' : 'node'),
    license: path.join(place, 'node_modules', packed, 'LICENSE'),
  };
}
