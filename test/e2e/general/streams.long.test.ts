/**
 * Streams that close or fail while a command runs, and terminals that close. The hub is a stub: the tests check what reaches it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { shellWord } from '../../../src/lib/core/next-step.ts';
import { inShell, start } from '../../stellarctl.ts';
import { Cli } from '../support/harness.ts';

const names = ['c1', 'c2', 'c3', 'c4'];
let server: Server;
let cli: Cli;
let writes: string[] = [];

before(async () => {
  server = createServer(({ method = '', url = '' }, response) => {
    const name = /managedclusters\/(\w+)/.exec(url)?.[1];
    const listed = /managedclusters\?.*metadata\.name(?:=|%3D)(\w+)/.exec(url)?.[1];
    if (method !== 'GET' && name !== undefined) writes.push(`${method} ${name}`);
    if (/\/apis\/[^/]+\/v1$/.test(url))
      response.end('{"resources": [{"name": "managedclusters"}]}');
    else if (listed !== undefined)
      response.end(JSON.stringify({ items: [managedCluster(listed, false)] }));
    else if (url.includes('limit=')) response.end('{"items": []}');
    else if (url.includes('/selfsubject')) response.end('{"status": {"allowed": true}}');
    else if (name === undefined) response.writeHead(404).end('{}');
    else if (name === 'forbidden' && method !== 'GET')
      response.writeHead(403).end('{"kind": "Status", "code": 403}');
    else response.end(JSON.stringify(managedCluster(name, method === 'PATCH')));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cli = await Cli.create('');
  const { port } = server.address() as AddressInfo;
  // Takes a while to end on a signal.
  const plugin = `trap 'sleep 1; echo bye >&2; exit 1' TERM; echo hanging >&2; while :; do sleep 0.1; done`;
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'sh',
    args: ['-c', plugin],
  };
  await writeFile(
    path.join(cli.home, 'kubeconfig'),
    JSON.stringify({
      clusters: [{ name: 'its1', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [
        { name: 'me', user: {} },
        { name: 'hanging', user: { exec } },
      ],
      contexts: ['me', 'hanging'].map((user) => ({
        name: user,
        context: { cluster: 'its1', user },
      })),
    }),
  );
});

beforeEach(() => {
  writes = [];
});

after(async () => {
  await cli?.remove();
  server?.close();
});

const managedCluster = (name: string, isLabelled: boolean) => ({
  apiVersion: 'cluster.open-cluster-management.io/v1',
  kind: 'ManagedCluster',
  metadata: {
    name,
    uid: `uid-${name}`,
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...(isLabelled && { labels: { a: 'b' } }),
  },
  spec: { hubAcceptsClient: true },
});

const environment = () => cli.environment({ kubeconfig: path.join(cli.home, 'kubeconfig') });
const command = (line: string) => `${inShell(start)} ${line} --its me`;

/** Runs a command line in a shell with redirected streams. */
async function piped(line: string, streams: string) {
  const shell = `${command(line)} ${streams}; exit \${PIPESTATUS[0]}`;
  const { exitCode, stdout, stderr } = await execa('bash', ['-c', shell], {
    env: environment(),
    extendEnv: false,
    reject: false,
  });
  assert.doesNotMatch(stdout + stderr, /\n {4}at /, 'a stack');
  return { exitCode, stdout, stderr };
}

async function untilPrinted(stream: Readable, text: RegExp) {
  let printed = '';
  await new Promise<void>((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk;
      if (text.test(printed)) resolve();
    });
    stream.on('end', () => reject(new Error(printed)));
  });
}

describe('a command whose output cannot be written labels all WECs, and', () => {
  const label = `label ${names.join(' ')} a=b`;
  const labelled = names.map((name) => `PATCH ${name}`);
  const full = 'The results cannot be written: no space left on device.';
  for (const [streams, exitCode, said] of [
    ['| head -n 1', 0, /^c\d: labelled$/],
    ['| true', 0, /^$/],
    ['2>&1 | head -n 1', 0, /^ITS me \S+$/],
    ['2>&1 | true', 0, /^$/],
    ['2> /dev/full', 0, /^(c\d: labelled\n?){4}$/],
    ['> /dev/full', 1, /^$/],
    ['> /dev/full 2>&1', 1, /^$/],
  ] as const)
    it(`exits with ${exitCode}: ${streams}`, async () => {
      const run = await piped(label, streams);
      assert.equal(run.exitCode, exitCode, run.stderr);
      assert.match(run.stdout, said);
      assert.equal(run.stderr.includes(full), streams === '> /dev/full');
      assert.deepEqual(writes.sort(), labelled);
    });
  it('does not exit with 0 after a partial failure, even if no one reads its output', async () => {
    assert.notEqual((await piped('label c1 forbidden c2 a=b', '2>&1 | true')).exitCode, 0);
    assert.deepEqual(writes.sort(), ['PATCH c1', 'PATCH c2', 'PATCH forbidden']);
  });
});

it('help that cannot be written does not exit with 0, but may be read in part', async () => {
  assert.equal((await piped('wec list --help', '> /dev/full')).exitCode, 1);
  assert.equal((await piped('wec list --help', '| head -n 1')).exitCode, 0);
});

describe('a terminal that closes', { timeout: 60_000 }, () => {
  /** Closes the terminal of a command as soon as it shows this text. @returns its exit code */
  async function closedAt(line: string, text: RegExp) {
    const file = path.join(cli.home, 'exit-code');
    // An inner shell outlives the terminal and reports the exit code; the outer one, which owns the terminal, passes the signal on
    // when it ends.
    const inner = `trap '' HUP; stty cols 100 rows 30; ${command(line)}; echo $? > ${file}.new; mv ${file}.new ${file}`;
    const shell = `sh -c ${shellWord(inner)}; true`;
    await execa('rm', ['-f', file]);
    const terminal = execa('script', ['--quiet', '--command', shell, '/dev/null'], {
      env: { TERM: 'xterm', ...environment() },
      extendEnv: false,
      reject: false,
    });
    await untilPrinted(terminal.stdout, text);
    terminal.kill('SIGKILL');
    for (;;) {
      const code = await readFile(file, 'utf8').catch(() => undefined);
      if (code !== undefined) return code.trim();
      await sleep(100);
    }
  }

  it('ends a wait cleanly', async () => {
    assert.equal(await closedAt('wec wait c1', /has not sent its request/), '143');
  });
  it('does not count as an answer to a prompt', async () => {
    const code = await closedAt('deregister c1', /Type y or its name/);
    // The end of the input may arrive before the signal, which may arrive when everything is done.
    assert.ok(['129', '130', '143'].includes(code), code);
    assert.deepEqual(writes, []);
  });
});

describe('when a signal is sent twice', () => {
  async function twice(signal: NodeJS.Signals) {
    const [program = '', ...first] = start;
    const started = execa(program, [...first, 'wec', 'list', '--its', 'hanging'], {
      env: environment(),
      extendEnv: false,
      reject: false,
    });
    await untilPrinted(started.stderr, /hanging/);
    started.kill(signal);
    await sleep(200);
    started.kill(signal);
    return started;
  }
  it('because both a closing terminal and its shell send one, the command still ends cleanly', async () => {
    const { exitCode, stderr } = await twice('SIGHUP');
    assert.equal(exitCode, 143);
    assert.match(stderr, /^bye\n✗ Interrupted\./m);
  });
  it('the second Ctrl-C ends the command at once', async () => {
    const { exitCode, stderr } = await twice('SIGINT');
    assert.equal(exitCode, 130);
    assert.doesNotMatch(stderr, /Interrupted/);
  });
});
