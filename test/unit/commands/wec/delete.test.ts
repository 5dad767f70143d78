import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import type { Io } from '../../../../src/commands/terminal/io.ts';
import { buildProgram } from '../../../../src/program.ts';
import { fakeIo } from '../../support/fake-io.ts';
import { FakeServer } from '../../support/fake-server.ts';

const root = mkdtempSync(path.join(tmpdir(), 'stellarctl-unit-'));
after(() => rmSync(root, { recursive: true }));
let count = 0;

/** A kind with these clusters. @param isRunning whether it has their kubeconfig */
const kind = (clusters: string, isRunning: boolean) => `#!/bin/sh
echo "$*" >> "$HOME/calls"
case "$*" in
  version) echo 'kind v0.31.0 go1.25 linux/amd64' ;;
  "get clusters") echo '${clusters}' ;;
  "get kubeconfig"*) ${isRunning ? 'read -r line < "$HOME/kubeconfig"; echo "$line"' : "echo 'ERROR: no such container' >&2; exit 1"} ;;
esac
`;

/** Runs `wec delete` without a terminal, on a machine whose kubeconfig has one context, `kind-prod`. */
async function remove(server: string | object, clusters: string, ...options: string[]) {
  const home = path.join(root, String(count++));
  mkdirSync(path.join(home, 'bin'), { recursive: true });
  writeFileSync(path.join(home, 'bin', 'kind'), kind(clusters, typeof server === 'object'));
  chmodSync(path.join(home, 'bin', 'kind'), 0o755);
  writeFileSync(path.join(home, 'calls'), '');
  const kubeconfig = path.join(home, 'kubeconfig');
  const before = JSON.stringify({
    'current-context': 'kind-prod',
    clusters: [{ name: 'kind-prod', cluster: typeof server === 'string' ? { server } : server }],
    users: [{ name: 'kind-prod', user: { token: 'the only copy' } }],
    contexts: [{ name: 'kind-prod', context: { cluster: 'kind-prod', user: 'kind-prod' } }],
  });
  writeFileSync(kubeconfig, `${before}\n`);
  const argv = ['wec', 'delete', 'prod', ...options];
  const env = { PATH: `${home}/bin`, HOME: home, KUBECONFIG: kubeconfig };
  const { io, stderr } = fakeIo({ env, argv });
  Object.assign(globalThis, { STELLARCTL_VERSION: '0.0.0' });
  const complete: Io = { ...io, stdin: { isTTY: false } as Io['stdin'], isOutputLost: () => false };
  await (await buildProgram(complete, 'stellarctl', argv)).parseAsync(argv, { from: 'user' });
  const exitCode = process.exitCode;
  process.exitCode = undefined;
  const kubeconfigIsUnchanged = readFileSync(kubeconfig, 'utf8').trim() === before;
  return {
    exitCode,
    says: stderr.text,
    kubeconfigIsUnchanged,
    calls: readFileSync(path.join(home, 'calls'), 'utf8'),
  };
}

describe('wec delete', () => {
  test('does not remove the context of a former cluster without confirmation', async () => {
    const { exitCode, says, kubeconfigIsUnchanged } = await remove('https://127.0.0.1:5000', '');
    assert.equal(exitCode, 1);
    assert.match(
      says,
      /context kind-prod of a former cluster prod.*\n.*Delete prod\? This needs confirmation/,
    );
    assert.ok(kubeconfigIsUnchanged);
    const confirmed = await remove('https://127.0.0.1:5000', '', '--yes');
    assert.deepEqual([confirmed.exitCode, confirmed.kubeconfigIsUnchanged], [0, false]);
  });

  test('never removes a context whose server is elsewhere, and says so', async () => {
    const { exitCode, says, kubeconfigIsUnchanged } = await remove(
      'https://10.20.30.40:6443',
      '',
      '--yes',
    );
    assert.equal(exitCode, 0);
    assert.match(
      says,
      /Context kind-prod \(https:\/\/10\.20\.30\.40:6443\) stays: its server is not on this machine/,
    );
    assert.ok(kubeconfigIsUnchanged);
  });

  test('does not take the current context for an ITS that was chosen, if it is none', async () => {
    const server = await FakeServer.start(({ path: asked }) =>
      asked.endsWith('/selfsubjectaccessreviews') ? { body: {} } : { status: 404 },
    );
    after(() => server.stop());
    const { exitCode, says, calls } = await remove(server.context().cluster, 'prod', '--yes');
    assert.equal(exitCode, 0, says);
    assert.match(calls, /^delete cluster/m);
  });

  test('does not delete a cluster that does not answer, unless forced', async () => {
    const { exitCode, says, calls } = await remove('https://127.0.0.1:5000', 'prod', '--yes');
    assert.equal(exitCode, 4);
    assert.match(says, /prod cannot be read.*unknown\. It was not deleted\./);
    assert.match(says, /docker start prod-control-plane/);
    assert.doesNotMatch(calls, /delete/);
    assert.match(
      (await remove('https://127.0.0.1:5000', 'prod', '--yes', '--force')).calls,
      /^delete cluster/m,
    );
  });
});
