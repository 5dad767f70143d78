import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { execa } from 'execa';
import { findProgram } from '../../../testbed/index.ts';
import { inShell, start, startOfCompletion, stellarctl } from '../../stellarctl.ts';
import { contextsOf } from '../../unit/support/one-context.ts';
import { prompt, ShellTerminal } from '../support/shell-terminal.ts';

/** Names that are valid in a cluster or a kubeconfig and special to shells. */
const wecs = ['cluster1', 'cluster2', 'edge$(touch pwned)'];
const contexts = ['arn:aws:eks:eu-west-1:1:cluster/hub', 'kind-cluster1'];

let home: string;
let its: Server;
let environment: Record<string, string>;

before(async () => {
  its = createServer((request, response) => {
    const items = request.url?.startsWith(
      '/apis/cluster.open-cluster-management.io/v1/managedclusters',
    )
      ? wecs.map((name) => ({ metadata: { name } }))
      : [];
    response.end(JSON.stringify({ items }));
  }).listen(0, '127.0.0.1');
  await once(its, 'listening');
  home = await mkdtemp(path.join(tmpdir(), 'stellarctl-shells-'));
  const bin = path.join(home, 'bin');
  await mkdir(bin);
  const program = (name: string, lines: string) =>
    writeFile(path.join(bin, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  // A busy machine must still produce names here.
  await program(
    'stellarctl',
    `[ "$1" = __complete ] && shift && set -- __complete --limit 20000 "$@"\nexec ${inShell(start)} "$@"`,
  );
  await program('kubectl-stellar', 'exit 1');
  await program('kubectl_complete-stellar', `exec ${inShell(startOfCompletion)} "$@"`);
  const server = `http://127.0.0.1:${(its.address() as AddressInfo).port}`;
  const kubeconfig = contextsOf({ server }, { token: 'abc' }, 'my hub', ...contexts);
  await writeFile(path.join(home, 'kubeconfig'), JSON.stringify(kubeconfig));
  environment = {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: home,
    KUBECONFIG: path.join(home, 'kubeconfig'),
  };
});
after(async () => {
  its.close();
  its.closeAllConnections();
  await rm(home, { recursive: true, force: true });
});

type ShellName = 'bash' | 'zsh' | 'fish';

/** The startup file of each shell, and a line in it that makes the prompt recognizable. */
const startFiles: Record<ShellName, [file: string, line: string]> = {
  bash: ['.bashrc', `PS1='${prompt}'`],
  zsh: ['.zshrc', `PS1='${prompt}'`],
  fish: ['.config/fish/config.fish', `function fish_prompt; echo -n '${prompt}'; end`],
};

/** The input before the tab key, and the words that the shell then makes of the line. */
const lines: [typed: string, words: string[]][] = [
  ['stellarctl wec gran', ['wec', 'grant']],
  ['stellarctl wec get cluster1 --its=kin', ['wec', 'get', 'cluster1', '--its=kind-cluster1']],
  [
    'stellarctl wec get cluster1 --its arn:aws:e',
    ['wec', 'get', 'cluster1', '--its', contexts[0] as string],
  ],
  ['stellarctl its use my', ['its', 'use', 'my hub']],
  ['stellarctl wec wait cluster2,cluster1,', ['wec', 'wait', `cluster2,cluster1,${wecs[2]}`]],
  ['stellarctl wec join cluster1=kin', ['wec', 'join', 'cluster1=kind-cluster1']],
  ['stellarctl label --its "my hub" edg', ['label', '--its', 'my hub', wecs[2] as string]],
  ['stellarctl wec list --kubeconfig kubec', ['wec', 'list', '--kubeconfig', 'kubeconfig']],
];

const names = Object.keys(startFiles) as ShellName[];
// Registered before any test, because Node runs the file's after hooks when nothing is left to run.
const shells = await Promise.all(
  names.map(async (name) => ({ name, shell: await findProgram(name) })),
);
const kubectl = await execa('kubectl', ['version', '--client'], { reject: false });

for (const { name, shell } of shells) {
  describe(name, { skip: typeof shell === 'string' && shell, timeout: 120_000 }, () => {
    if (typeof shell === 'string') return;
    let terminal: ShellTerminal;
    before(async () => {
      const { stdout: help } = await stellarctl(['completion', '--help']);
      const install =
        String(help)
          .split('\n')
          .find((line) => line.includes(`stellarctl completion ${name}`)) ?? '';
      const [file, line] = startFiles[name];
      await mkdir(path.join(home, '.config', 'fish', 'completions'), { recursive: true });
      await writeFile(path.join(home, file), `${line}\n`);
      if (shell.firstLines.length > 0)
        await writeFile(path.join(home, '.zshenv'), `${shell.firstLines.join('\n')}\n`);
      await execa('bash', ['-c', install], { env: environment });
      terminal = new ShellTerminal(shell, { ...environment, ...shell.env });
      await terminal.until(new RegExp(prompt.trimEnd()));
      terminal.type(`cd '${home}'\n`);
    });
    after(() => terminal?.end());

    /** Completes the input. @returns the words that the shell then makes of the line */
    async function wordsOf(typed: string) {
      // The whole line becomes the arguments of a command that prints them.
      terminal.type(`${typed}\t\u0001printf '<%s>' end \u0005; echo\n`);
      // The line may arrive in parts.
      const [words] = await terminal.until(/^<end>.*<stellarctl>.*?>(?=\s|ready>)/m);
      return words;
    }

    for (const [typed, words] of lines)
      it(`completes ${typed}`, async () => {
        assert.equal(
          await wordsOf(typed),
          ['end', 'stellarctl', ...words].map((word) => `<${word}>`).join(''),
        );
      });

    it('lists the candidates', async () => {
      terminal.type('stellarctl wec wait cluster\t\t');
      await terminal.until(/cluster1\b[\s\S]*cluster2\b/);
      terminal.type('\u0015');
    });

    it('runs nothing that is typed or offered', async () => {
      terminal.type('stellarctl wec list --kubeconfig $(touch pwned) --ou\t');
      await terminal.until(/--output/);
      terminal.type('\u0015');
      assert.equal(existsSync(path.join(home, 'pwned')), false);
    });
  });
}

describe('kubectl', { skip: kubectl.failed && 'there is no kubectl' }, () => {
  it('completes the arguments after kubectl stellar', async () => {
    const run = await execa('kubectl', ['__complete', 'stellar', 'wec', 'gran'], {
      env: environment,
    });
    const [offered, directive] = run.stdout.split('\n');
    assert.match(offered ?? '', /^grant\t/);
    assert.equal(directive, ':4');
  });
});
