import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { NodeForExecutable } from './executable/make.ts';

/**
 * Downloads a Node for this machine from those who release it, and compares it with the checksums that they publish. Unlike that of
 * npm (node-from-npm.ts), no program of others has had it in its hands.
 * @param source where Node is released
 */
export async function officialNode(
  folder: string,
  version: string,
  source = 'https://nodejs.org/dist',
): Promise<NodeForExecutable> {
  const isWindows = process.platform === 'win32';
  const name = `node-v${version}-${isWindows ? 'win' : process.platform}-${process.arch}`;
  const file = `${name}.${isWindows ? 'zip' : 'tar.gz'}`;
  const [sums, content] = await Promise.all(
    ['SHASUMS256.txt', file].map((each) => download(`${source}/v${version}/${each}`)),
  );
  verify(file, content as Buffer, String(sums));
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, file), content as Buffer);
  await execa('tar', ['-xf', file], { cwd: folder });
  const place = path.join(folder, name);
  return {
    node: isWindows ? path.join(place, 'node.exe') : path.join(place, 'bin', 'node'),
    license: path.join(place, 'LICENSE'),
  };
}

async function download(address: string): Promise<Buffer> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  return Buffer.from(await response.arrayBuffer());
}

/** @param sums lines of a checksum and a name, as `sha256sum` writes them */
function verify(file: string, content: Buffer, sums: string): void {
  const expected = sums.split('\n').flatMap((line) => {
    const [sum = '', name] = line.split(/\s+\*?/);
    return name === file && /^[0-9a-f]{64}$/.test(sum) ? [sum] : [];
  });
  if (expected.length !== 1)
    throw new Error(`SHASUMS256.txt has ${expected.length} checksums of ${file}`);
  const found = createHash('sha256').update(content).digest('hex');
  if (found !== expected[0])
    throw new Error(`${file} has the checksum ${found}; ${expected[0]} was published`);
}
