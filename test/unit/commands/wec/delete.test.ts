import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { FakeServer } from '../../support/fake-server.ts';
import { writtenApart } from '../../support/folder.ts';
import { runHere } from '../../support/program.ts';
import { stopping } from '../../support/serving.ts';

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
  const home = path.dirname(
    writtenApart('kind', kind(clusters, typeof server === 'object'), 0o755),
  );
  const calls = path.join(home, 'calls');
  writeFileSync(calls, '');
  const cluster = typeof server === 'string' ? { server } : server;
  const name = 'kind-prod';
  const before = JSON.stringify({
    'current-context': name,
    clusters: [{ name, cluster }],
    users: [{ name, user: { token: 'the only copy' } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
  const kubeconfig = path.join(home, 'kubeconfig');
  writeFileSync(kubeconfig, `${before}\n`);
  const { exitCode, stderr: says } = await runHere(['wec', 'delete', 'prod', ...options], {
    PATH: home,
    HOME: home,
    KUBECONFIG: kubeconfig,
  });
  const kubeconfigIsUnchanged = readFileSync(kubeconfig, 'utf8').trim() === before;
  return { exitCode, says, kubeconfigIsUnchanged, calls: readFileSync(calls, 'utf8') };
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
    const { cluster } = stopping(server).context();
    const { exitCode, says, calls } = await remove(cluster, 'prod', '--yes');
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
