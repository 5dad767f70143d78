/**
 * Proves that `npm pack` holds what a user needs and nothing else, and that the packed stellarctl runs where it is installed: on
 * the oldest Node that it supports and on a current one; and that an older Node gets one line that a person understands.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';

const OLDEST_NODE = '22.19.0';
const TOO_OLD_NODE = '20';
const PACKED_LIMIT_KB = 500;
const UNPACKED_LIMIT_KB = 2000;

interface Packed {
  filename: string;
  size: number;
  unpackedSize: number;
  files: { path: string }[];
}

const root = path.resolve(import.meta.dirname, '..');
const work = await mkdtemp(path.join(tmpdir(), 'stellarctl-package-'));
try {
  const tarball = await pack();
  const installed = await install('user', tarball);
  assert.deepEqual(await packagesIn(installed), ['stellarctl'], 'the package needs others at run time');

  await checkRuns(installed, await nodeFromNpm(OLDEST_NODE));
  await checkRuns(installed, process.execPath);
  await checkRefusal(installed, await olderNode());
} finally {
  await rm(work, { recursive: true, force: true });
}

async function pack(): Promise<string> {
  const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', work], { cwd: root });
  // What prepack says comes first.
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [Packed];
  assert.deepEqual(packed.files.map((file) => file.path).sort(), await expectedFiles());
  const [size, unpackedSize] = [packed.size / 1000, packed.unpackedSize / 1000];
  console.log(`packed ${packed.files.length} files, ${size.toFixed(0)} kB, unpacked ${unpackedSize.toFixed(0)} kB`);
  assert.ok(
    size <= PACKED_LIMIT_KB && unpackedSize <= UNPACKED_LIMIT_KB,
    `more than ${PACKED_LIMIT_KB} or ${UNPACKED_LIMIT_KB} kB`,
  );
  return path.join(work, packed.filename);
}

/** The boot files, what the build made, and what describes it. */
async function expectedFiles(): Promise<string[]> {
  const contents = JSON.parse(await readFile(path.join(root, 'dist', 'contents.json'), 'utf8')) as Record<
    string,
    string[]
  >;
  const built = Object.keys(contents).map((file) => `dist/${file}`);
  const programs = ['kubectl-stellar', 'kubectl_complete-stellar', 'stellarctl'];
  const boot = ['compile-cache', ...programs].map((name) => `bin/${name}.cjs`);
  return ['LICENSE', 'README.md', 'package.json', 'dist/THIRD-PARTY-NOTICES.txt', ...boot, ...built].sort();
}

/** Installs a package into a folder of its own, and says where. */
async function install(folder: string, what: string): Promise<string> {
  const place = path.join(work, folder);
  await mkdir(place);
  // Only Node's package has an install script, which npm runs where it is allowed by name.
  await writeFile(path.join(place, 'package.json'), JSON.stringify({ private: true, allowScripts: { node: true } }));
  await execa('npm', ['install', '--no-audit', '--no-fund', what], { cwd: place });
  return place;
}

async function packagesIn(place: string): Promise<string[]> {
  const entries = await readdir(path.join(place, 'node_modules'));
  return entries.filter((entry) => !entry.startsWith('.'));
}

async function nodeFromNpm(version: string): Promise<string> {
  const place = await install(`node-${version}`, `node@${version}`);
  return path.join(place, 'node_modules', 'node', 'bin', 'node');
}

/** A Node that is too old for stellarctl: the machine's, which runs npm, if it is. */
async function olderNode(): Promise<string> {
  const machines = process.env.npm_node_execpath;
  if (machines !== undefined && (await isTooOld(machines))) return machines;
  return nodeFromNpm(TOO_OLD_NODE);
}

async function isTooOld(node: string): Promise<boolean> {
  const { stdout } = await execa(node, ['--version']);
  return stdout.localeCompare(`v${OLDEST_NODE}`, 'en', { numeric: true }) < 0;
}

/** Runs an installed program as a shell does: found by its name, its Node found by PATH. */
function runInstalled(place: string, node: string, [program = '', ...args]: string[]) {
  const file = path.join(place, 'node_modules', '.bin', program);
  const env = { PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}`, HOME: work };
  return execa(file, args, { cwd: place, env, extendEnv: false, reject: false });
}

async function checkRuns(place: string, node: string): Promise<void> {
  const { stdout: nodeVersion } = await execa(node, ['--version']);
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string };
  const expectations: [command: string, start: string][] = [
    ['stellarctl --version', version],
    ['stellarctl wec join --help', 'Usage: stellarctl wec join '],
    ['kubectl-stellar --help', 'Usage: kubectl stellar '],
    ['kubectl_complete-stellar wec lis', 'list\t'],
  ];
  for (const [command, start] of expectations) {
    const { exitCode, stdout, stderr } = await runInstalled(place, node, command.split(' '));
    assert.equal(exitCode, 0, `${command} on ${nodeVersion}: ${stderr}`);
    assert.ok(stdout.startsWith(start), `${command} on ${nodeVersion} says ${stdout}`);
    assert.equal(stderr, '');
    console.log(`${command} runs on ${nodeVersion}`);
  }
}

async function checkRefusal(place: string, node: string): Promise<void> {
  const { stdout: nodeVersion } = await execa(node, ['--version']);
  for (const program of ['stellarctl', 'kubectl-stellar']) {
    const { exitCode, stdout, stderr } = await runInstalled(place, node, [program, '--version']);
    assert.notEqual(exitCode, 0);
    assert.equal(stdout, '');
    assert.match(stderr, /^.*needs Node 22\.19 or newer.*$/, 'not the one line that an older Node should get');
    console.log(`${program} refuses ${nodeVersion}: ${stderr}`);
  }
}
