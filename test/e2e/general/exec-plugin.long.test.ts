/** A credential plugin that prompts, on a terminal and in a pipe. The server is a stub: the tests check which token it receives. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, beforeEach, it } from 'node:test';
import { assertGone } from '../../is-alive.ts';
import { contextsOf } from '../../unit/support/one-context.ts';
import { Cli } from '../support/harness.ts';
import { shown } from '../support/screen.ts';

let server: Server;
let cli: Cli;
let tokens: (string | undefined)[] = [];
const list = ['wec', 'list', '--its', 'its1'];

before(async () => {
  server = createServer(({ headers }, response) => {
    tokens.push(headers.authorization);
    response.end('{"items":[]}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cli = await Cli.create('');
  const { port } = server.address() as AddressInfo;
  await writeFile(
    path.join(cli.home, 'plugin'),
    `#!/bin/sh
    echo $$ > ${cli.home}/pid
    stty -echo 2>/dev/null
    printf 'Enter \\033]52;c;eA==\\007ABCD at https://login.example\\nPassword: ' >&2
    read -r password; stty echo 2>/dev/null
    echo >&2
    echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"token-of-'"$password"'"}}'\n`,
    { mode: 0o755 },
  );
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: './plugin',
    interactiveMode: 'IfAvailable',
  };
  await writeFile(
    path.join(cli.home, 'kubeconfig'),
    JSON.stringify(contextsOf({ server: `http://127.0.0.1:${port}` }, { exec }, 'its1')),
  );
});

beforeEach(() => {
  tokens = [];
});

after(async () => {
  await cli?.remove();
  server?.close();
});

const options = () => ({ kubeconfig: path.join(cli.home, 'kubeconfig') });
const asked = 'Enter \\x1b]52;c;eA==\\x07ABCD at https://login.example';

it('on a terminal it can prompt, and its output cannot control the terminal', async () => {
  const answers = [{ at: /Password: /, type: async () => 'hunter2' }];
  const { exitCode, screen } = await cli.runOnTerminal([...list, '-q'], { ...options(), answers });
  assert.equal(exitCode, 0, screen);
  assert.deepEqual(shown(screen).slice(0, 2), [asked, 'Password:']);
  assert.doesNotMatch(screen, /token-of|hunter2/);
  assert.deepEqual([...new Set(tokens)], ['Bearer token-of-hunter2']);
});

it('ends with the command on Ctrl-C', async () => {
  const answers = [{ at: /Password: /, type: async () => '\x03' }];
  const { exitCode, screen } = await cli.runOnTerminal(list, { ...options(), answers });
  assert.equal(exitCode, 130, screen);
  assert.match(screen, /✗.* Interrupted\./);
  const pid = (await readFile(path.join(cli.home, 'pid'), 'utf8')).trim();
  await assertGone(pid);
  assert.deepEqual(tokens, []);
});
