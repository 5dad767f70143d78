/**
 * Verifies that `npm pack` contains exactly what a user needs, and that the packed stellarctl runs when installed: on the oldest
 * supported Node and on a current one. Also verifies that an older Node prints one understandable line, and that the one-file
 * executable runs without anything else.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import manifest from '../package.json' with { type: 'json' };
import { makeExecutable } from './executable/make.ts';
import { install, nodeFromNpm } from './node-from-npm.ts';

const OLDEST_NODE = '22.19.0';
const TOO_OLD_NODE = '20';
const PACKED_LIMIT_KB = 550;
const UNPACKED_LIMIT_KB = 2000;

const root = path.resolve(import.meta.dirname, '..');

interface Packed {
  filename: string;
  size: number;
  unpackedSize: number;
  files: { path: string }[];
}

/** The expected output of every stellarctl, by program name and arguments. */
const answers: [command: string, start: string][] = [
  ['stellarctl --version', manifest.version],
  ['stellarctl wec join --help', 'Usage: stellarctl wec join '],
  ['kubectl-stellar --help', 'Usage: kubectl stellar '],
];

const work = await mkdtemp(path.join(tmpdir(), 'stellarctl-package-'));
try {
  const tarball = await pack();
  const installed = path.join(work, 'user');
  await install(installed, tarball);
  assert.deepEqual(
    await packagesIn(installed),
    ['stellarctl'],
    'the package needs others at run time',
  );

  await checkRuns(installed, await nodeOf(OLDEST_NODE));
  await checkRuns(installed, process.execPath);
  await checkRefusal(installed, await olderNode());
  await checkExecutable();
} finally {
  await rm(work, { recursive: true, force: true });
}

async function pack(): Promise<string> {
  const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', work], {
    cwd: root,
  });
  // The output of prepack comes first.
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [Packed];
  assert.deepEqual(packed.files.map((file) => file.path).sort(), await expectedFiles());
  const [size, unpackedSize] = [packed.size / 1000, packed.unpackedSize / 1000];
  console.log(
    `packed ${packed.files.length} files, ${size.toFixed(0)} kB, unpacked ${unpackedSize.toFixed(0)} kB`,
  );
  assert.ok(
    size <= PACKED_LIMIT_KB && unpackedSize <= UNPACKED_LIMIT_KB,
    `more than ${PACKED_LIMIT_KB} or ${UNPACKED_LIMIT_KB} kB`,
  );
  return path.join(work, packed.filename);
}

/** The boot files, the build output, and the files that describe the package. */
async function expectedFiles(): Promise<string[]> {
  const contents = JSON.parse(
    await readFile(path.join(root, 'dist', 'contents.json'), 'utf8'),
  ) as Record<string, string[]>;
  const built = Object.keys(contents).map((file) => `dist/${file}`);
  const programs = ['kubectl-stellar', 'kubectl_complete-stellar', 'stellarctl'];
  const boot = ['compile-cache', ...programs].map((name) => `bin/${name}.cjs`);
  return [
    'LICENSE',
    'README.md',
    'package.json',
    'dist/THIRD-PARTY-NOTICES.txt',
    ...boot,
    ...built,
  ].sort();
}

async function packagesIn(place: string): Promise<string[]> {
  const entries = await readdir(path.join(place, 'node_modules'));
  return entries.filter((entry) => !entry.startsWith('.'));
}

async function nodeOf(version: string): Promise<string> {
  return (await nodeFromNpm(path.join(work, `node-${version}`), version)).node;
}

/** Returns a Node that is too old for stellarctl: the one that runs npm, if it is too old. */
async function olderNode(): Promise<string> {
  const machines = process.env.npm_node_execpath;
  if (machines !== undefined && (await isTooOld(machines))) return machines;
  return nodeOf(TOO_OLD_NODE);
}

async function isTooOld(node: string): Promise<boolean> {
  const { stdout } = await execa(node, ['--version']);
  return stdout.localeCompare(`v${OLDEST_NODE}`, 'en', { numeric: true }) < 0;
}

/** Runs an installed program as a shell does: finds it by name, and its Node in PATH. */
function runInstalled(place: string, node: string, [program = '', ...args]: string[]) {
  const file = path.join(place, 'node_modules', '.bin', program);
  const env = { PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}`, HOME: work };
  return execa(file, args, { cwd: place, env, extendEnv: false, reject: false });
}

async function checkRuns(place: string, node: string): Promise<void> {
  const { stdout: nodeVersion } = await execa(node, ['--version']);
  const installed: typeof answers = [...answers, ['kubectl_complete-stellar wec lis', 'list\t']];
  for (const [command, start] of installed) {
    assertAnswer(
      await runInstalled(place, node, command.split(' ')),
      start,
      `${command} on ${nodeVersion}`,
    );
  }
}

function assertAnswer(
  { exitCode, stdout, stderr }: { exitCode?: number | undefined; stdout: string; stderr: string },
  start: string,
  what: string,
): void {
  assert.equal(exitCode, 0, `${what}: ${stderr}`);
  assert.ok(stdout.startsWith(start), `${what} says ${stdout}`);
  assert.equal(stderr, '');
  console.log(`${what} runs`);
}

/** The executable needs no program, no environment and no other file, and ignores options for Node. */
async function checkExecutable(): Promise<void> {
  const folder = path.join(work, 'executable');
  await mkdir(folder);
  const executable = await makeExecutable(folder);
  assert.ok(!(await readFile(executable)).includes('libatomic.so'), 'a clean Debian has none');
  const plugin = path.join(folder, 'kubectl-stellar');
  await symlink(executable, plugin);
  const surroundings = {
    cwd: folder,
    env: { NODE_OPTIONS: '--no-such-option' },
    extendEnv: false,
    reject: false,
  } as const;
  for (const [command, start] of answers) {
    const [program, ...args] = command.split(' ');
    const run = await execa(program === 'stellarctl' ? executable : plugin, args, surroundings);
    assertAnswer(run, start, `${command} in one file`);
  }
  const lost = await execa(
    executable,
    ['wec', 'list', '--its', 'its1', '--kubeconfig', '/dev/null'],
    surroundings,
  );
  assert.deepEqual([lost.exitCode, lost.stdout], [2, ''], lost.stderr);
  assert.match(lost.stderr, /^✗ There is no context "its1" in \/dev\/null\.$/m);
}

async function checkRefusal(place: string, node: string): Promise<void> {
  const { stdout: nodeVersion } = await execa(node, ['--version']);
  for (const program of ['stellarctl', 'kubectl-stellar']) {
    const { exitCode, stdout, stderr } = await runInstalled(place, node, [program, '--version']);
    assert.notEqual(exitCode, 0);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^.*needs Node 22\.19 or newer.*$/,
      'not the one line that an older Node should get',
    );
    console.log(`${program} refuses ${nodeVersion}: ${stderr}`);
  }
}
