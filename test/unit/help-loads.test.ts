import './support/environment.ts';
import './support/dist.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { bootFile, stellarctl } from '../stellarctl.ts';
import { newPath, writtenApart } from './support/folder.ts';
import { contextsOf } from './support/one-context.ts';

/** Help answers at once because it loads none of the packages that do the work. */
const dist = path.resolve(import.meta.dirname, '..', '..', 'dist');
/** The modules that each file of dist holds. */
const contents = JSON.parse(readFileSync(path.join(dist, 'contents.json'), 'utf8')) as Record<
  string,
  string[]
>;
const loadList = path.join(import.meta.dirname, 'support', 'load-list.ts');

test('loaded modules are detected', async () => {
  const { packages } = await runAndList('wec list --its nowhere --kubeconfig /dev/null');
  assert.ok(
    packages.includes('yaml') || packages.includes('@kubernetes/client-node'),
    `saw ${packages.join(', ')}`,
  );
});

test('the help of every command loads commander alone, fits on one screen, and offers no argument for a token or password', async (t) => {
  const pending: string[][] = [[]];
  const seen: string[] = [];
  for (let command = pending.shift(); command !== undefined; command = pending.shift()) {
    const { stdout, exitCode, packages } = await runAndList([...command, '--help'].join(' '));
    const name = ['stellarctl', ...command].join(' ');
    await t.test(`${name} --help`, () => {
      assert.equal(exitCode, 0);
      assert.deepEqual(packages, ['commander']);
      const lines = String(stdout).trimEnd().split('\n');
      assert.ok(
        lines.length <= 40 && lines.every((line) => line.length <= 80),
        'it fits on one screen',
      );
      // Every user of the machine can read the arguments of programs.
      assert.doesNotMatch(
        String(stdout),
        /--\S*(?:token|password|secret|credential)\S*[ =]<(?!file>)/i,
      );
    });
    seen.push(name);
    for (const child of subcommands(String(stdout))) pending.push([...command, child]);
  }
  assert.ok(seen.includes('stellarctl wec join'), `saw only ${seen.join(', ')}`);
});

test('help shows the help of the command that follows, at any depth', async () => {
  const shown = async (words: string[]) => {
    const { stdout, stderr, exitCode } = await stellarctl(words);
    return { stdout: String(stdout), stderr: String(stderr), exitCode };
  };
  for (const words of [[], ['wec'], ['wec', 'join'], ['its', 'token'], ['accept'], ['wec', 'ls']])
    assert.deepEqual(
      await shown(['help', ...words]),
      await shown([...words, '--help']),
      words.join(' '),
    );
  const unknown = await shown(['help', 'wec', 'jion']);
  assert.deepEqual([unknown.exitCode, unknown.stdout], [2, '']);
  assert.match(unknown.stderr, /unknown command 'jion'/);
});

/** Every addition to these lists may slow down the start of every command. */
const ofHelp = ['net', 'process', 'timers/promises'];
const ofRequests = [
  ...ofHelp,
  ...[
    '_http_agent',
    '_http_client',
    '_http_common',
    '_http_incoming',
    '_http_outgoing',
    '_http_server',
    'http',
    'https',
  ],
  ...['crypto', 'tls', 'tty'],
].sort();
const always = ['chalk', 'commander', 'p-limit', 'yocto-queue'];
/** With a kubeconfig. */
const ofList = ['chalk', 'commander', 'p-limit', 'yaml', 'yocto-queue'];

test('help, and a command that contacts a cluster, load no more of Node than they use', async (t) => {
  const server = createServer((_, response) => response.end('{"items":[]}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const kubeconfig = kubeconfigFor(`http://127.0.0.1:${port}`);

  assert.deepEqual((await runAndList('--help')).builtins, ofHelp);
  const list = await runAndList(`wec list --its its1 --kubeconfig ${kubeconfig} -o json`);
  assert.equal(list.exitCode, 0);
  assert.deepEqual(list.builtins, ofRequests);
  assert.deepEqual(list.packages, ofList);
});

test('completion loads no more packages than a list', async () => {
  const kubeconfig = kubeconfigFor('http://127.0.0.1:1');
  for (const [line, offered, loaded] of [
    ['wec ', 'list', always],
    ['wec join --', '--accept', always],
    [`wec get --kubeconfig ${kubeconfig} --its `, 'its1', ofList],
  ] as const) {
    const { stdout, packages } = await runAndList(`__complete -- ${line}`);
    assert.match(String(stdout), new RegExp(`^${offered}\\b`, 'm'));
    assert.deepEqual(packages, loaded, line);
  }
});

const kubeconfigFor = (server: string) =>
  writtenApart('kubeconfig', JSON.stringify(contextsOf({ server }, { token: 'abc' }, 'its1')));

async function runAndList(line: string) {
  const list = newPath();
  const env = { NODE_OPTIONS: `--import=${loadList}`, LOAD_LIST: list };
  const words = line.split(' ');
  const { stdout, exitCode } = await stellarctl(words, { env }, [process.execPath, bootFile]);
  const loaded = readFileSync(list, 'utf8').trim().split('\n');
  const builtins = loaded.flatMap((name) => /^node:(.*)/.exec(name)?.[1] ?? []);
  return { stdout, exitCode, packages: packagesIn(loaded), builtins: builtins.sort() };
}

/** The packages that files of dist contain a part of. */
function packagesIn(files: readonly string[]) {
  const loaded = Object.entries(contents).filter(([file]) => files.includes(path.join(dist, file)));
  assert.ok(loaded.length > 0, 'no file of dist was loaded');
  const names = loaded.flatMap(([, modules]) =>
    modules.flatMap((file) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []),
  );
  return [...new Set(names)].sort();
}

/** The names under "Commands:" in a help text, without commander's own help command. */
function subcommands(help: string) {
  const section = /^Commands:\n((?: {2}.*\n?)+)/m.exec(help)?.[1] ?? '';
  const names = [...section.matchAll(/^ {2}(\w[\w-]*)/gm)].map((match) => match[1] as string);
  return names.filter((name) => name !== 'help');
}
