import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { nodeFromNpm } from '../node-from-npm.ts';

/**
 * The Node inside the executable: a long-term support release. Those from 25 on need libatomic, which neither Debian nor Ubuntu installs
 * by itself, nor the image of the Dockerfile has (nodejs/node#60790).
 */
export const nodeOfExecutable = '24.21.0';

/** The program, and its licence. */
export interface NodeForExecutable {
  node: string;
  license: string;
}

/** Which bytes of Node say that it is an executable with a program (nodejs.org/api/single-executable-applications.html). */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

const boot = path.join(import.meta.dirname, 'boot.cjs');
const dist = path.resolve(import.meta.dirname, '..', '..', 'dist');

/**
 * Makes the one-file executable for this machine: the files of dist, as they are, inside a Node
 * (nodejs.org/api/single-executable-applications.html), each with V8's code cache. One file in place of many was measured: it starts
 * later. A start-up snapshot cannot contain node:https (Node 26.10), and an empty one already starts 8 ms later.
 * @param folder gets the executable, and the licence of Node
 * @param bring brings that Node: default: the one that npm has
 * @returns the executable
 */
export async function makeExecutable(
  folder: string,
  bring: (folder: string, version: string) => Promise<NodeForExecutable> = nodeFromNpm,
): Promise<string> {
  const work = await mkdtemp(path.join(tmpdir(), 'stellarctl-executable-'));
  try {
    const { node, license } = await bring(path.join(work, 'node'), nodeOfExecutable);
    const files = path.join(work, 'files');
    await mkdir(files);
    await wrap(dist, files);
    await compile(files, node);
    const executable = path.join(
      folder,
      process.platform === 'win32' ? 'stellarctl.exe' : 'stellarctl',
    );
    const config = path.join(work, 'sea.json');
    const assets = Object.fromEntries(
      (await readdir(files)).map((name) => [name, path.join(files, name)]),
    );
    // A short run then ends before the first garbage collection, a fifth of the processor time of a list; starts one thread for V8
    // instead of four; and none to parse Node's certificate authorities (src/lib/kube/client/proxy.ts says which are trusted).
    const execArgv = ['--min-semi-space-size=16', '--v8-pool-size=1', '--use-openssl-ca'];
    const settings = {
      disableExperimentalSEAWarning: true,
      useCodeCache: true,
      execArgv,
      execArgvExtension: 'none',
    };
    const blob = path.join(work, 'sea.blob');
    await writeFile(config, JSON.stringify({ main: boot, output: blob, assets, ...settings }));
    await execa(node, ['--experimental-sea-config', config]);
    await copyFile(node, executable);
    // macOS runs no program whose signature does not hold.
    const isMac = process.platform === 'darwin';
    if (isMac) await execa('codesign', ['--remove-signature', executable]);
    const segment = isMac ? ['--macho-segment-name', 'NODE_SEA'] : [];
    const injection = [executable, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse, ...segment];
    await execa('postject', injection, { preferLocal: true, localDir: import.meta.dirname });
    if (isMac) await execa('codesign', ['--sign', '-', executable]);
    await copyFile(license, path.join(folder, 'LICENSE-node.txt'));
    return executable;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Makes a function of each file of dist, which boot.cjs calls. */
async function wrap(dist: string, folder: string): Promise<void> {
  for (const name of (await readdir(dist)).filter((each) => each.endsWith('.cjs'))) {
    const text = await readFile(path.join(dist, name), 'utf8');
    if (/[^.\w$]import\(/.test(text))
      throw new Error(`${name} imports something that is not in the executable`);
    await writeFile(path.join(folder, name), `(function (exports, require, module) {${text}\n})`);
  }
}

/** Has V8 compile all files, and keep what it compiles while help and a list are shown: what most commands need. */
async function compile(files: string, node: string): Promise<void> {
  const clusters = '{"items":[{"metadata":{"name":"a"}}]}';
  const server = createServer(({ url = '' }, response) => {
    response.end(url.includes('managedclusters') ? clusters : '{"items":[]}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kubeconfig = path.join(files, '..', 'kubeconfig');
  const lines = [
    'clusters:\n- name: a\n  cluster:',
    `    server: http://127.0.0.1:${port}`,
    'contexts:\n- name: a\n  context:\n    cluster: a',
  ];
  await writeFile(kubeconfig, `${lines.join('\n')}\n`);
  const commands = [['--help'], ['wec', 'list', '--its', 'a', '--kubeconfig', kubeconfig]];
  try {
    await execa(node, [boot, files, JSON.stringify(commands)]);
  } finally {
    server.close();
  }
}
