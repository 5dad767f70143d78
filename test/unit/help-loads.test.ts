import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import type { Metafile } from 'esbuild';
import { stellarctl } from '../stellarctl.ts';

/** Help answers at once because it loads none of the packages that do the work. */
const dist = path.resolve(import.meta.dirname, '..', '..', 'dist');
const metafile = JSON.parse(readFileSync(path.join(dist, 'metafile.json'), 'utf8')) as Metafile;
const loadList = path.join(import.meta.dirname, 'fixtures', 'load-list.ts');

test('what a command loads is seen', async () => {
  const { packages } = await runAndList(['wec', 'list', '--its', 'nowhere', '--kubeconfig', '/dev/null']);
  assert.ok(packages.includes('yaml') || packages.includes('@kubernetes/client-node'), `saw ${packages.join(', ')}`);
});

test('the help of every command loads commander alone', async (t) => {
  const pending: string[][] = [[]];
  const seen: string[] = [];
  for (let command = pending.shift(); command !== undefined; command = pending.shift()) {
    const { stdout, exitCode, packages } = await runAndList([...command, '--help']);
    const name = ['stellarctl', ...command].join(' ');
    await t.test(`${name} --help`, () => {
      assert.equal(exitCode, 0);
      assert.deepEqual(packages, ['commander']);
    });
    seen.push(name);
    for (const child of subcommands(String(stdout))) pending.push([...command, child]);
  }
  assert.ok(seen.includes('stellarctl wec join'), `saw only ${seen.join(', ')}`);
});

async function runAndList(args: string[]) {
  const folder = await mkdtemp(path.join(tmpdir(), 'stellarctl-loads-'));
  const list = path.join(folder, 'list');
  try {
    const env = { NODE_OPTIONS: `--import=${loadList}`, LOAD_LIST: list };
    const { stdout, exitCode } = await stellarctl(args, { env });
    const files = (await readFile(list, 'utf8')).trim().split('\n');
    return { stdout, exitCode, packages: packagesIn(files) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The packages that files of dist hold a part of. */
function packagesIn(files: readonly string[]): string[] {
  const outputs = Object.entries(metafile.outputs).filter(([output]) =>
    files.includes(path.join(dist, path.basename(output))),
  );
  assert.ok(outputs.length > 0, 'no file of dist was loaded');
  const inputs = outputs.flatMap(([, output]) => Object.entries(output.inputs));
  const names = inputs.flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? (packageOf(file) ?? []) : []));
  return [...new Set(names)].sort();
}

function packageOf(file: string): string | undefined {
  return /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1];
}

/** The names under "Commands:" in a help text, without commander's own help command. */
function subcommands(help: string): string[] {
  const section = /^Commands:\n((?: {2}.*\n?)+)/m.exec(help)?.[1] ?? '';
  const names = [...section.matchAll(/^ {2}(\w[\w-]*)/gm)].map((match) => match[1] as string);
  return names.filter((name) => name !== 'help');
}
