import '../support/environment.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FakeServer } from '../support/fake-server.ts';
import { newPath, written } from '../support/folder.ts';
import { oneContext } from '../support/one-context.ts';
import { runHere } from '../support/program.ts';

const kubeconfigs = { nowhere: newPath(), dead: '', other: '' };
/** Neither a hosting cluster nor an ITS: it has none of the kinds. */
let other: FakeServer;

before(async () => {
  other = await FakeServer.start(() => ({
    status: 404,
    body: { kind: 'Status', status: 'Failure', code: 404 },
  }));
  for (const [name, cluster] of [
    ['other', other.context().cluster],
    ['dead', { server: 'https://127.0.0.1:1' }],
  ] as const)
    kubeconfigs[name] = written(name, JSON.stringify(oneContext(cluster, { token: 't' })));
});
after(() => other.stop());

const version = (kubeconfig: keyof typeof kubeconfigs, ...words: string[]) =>
  runHere(['version', ...words], {
    KUBECONFIG: kubeconfigs[kubeconfig],
    XDG_CONFIG_HOME: newPath(),
  });

const alone = { exitCode: 0, stdout: 'stellarctl   0.0.0\n', stderr: '' };

test('without a context it shows the version of stellarctl', async () => {
  assert.deepEqual(await version('nowhere'), alone);
  const { stdout } = await version('nowhere', '-o', 'yaml');
  assert.equal(stdout, 'client: 0.0.0\n');
});

test('so it does if the current context has nothing of KubeStellar, unless a cluster was named', async () => {
  assert.deepEqual(await version('other'), alone);
  const asked = await version('other', '--hosting-context', 'x');
  assert.deepEqual([asked.exitCode, asked.stdout], [1, alone.stdout]);
  assert.match(asked.stderr, /^✗ x \(https:\S+\) is not a hosting cluster/);
});

test('it is shown even if the cluster does not answer', async () => {
  const dead = await version('dead');
  assert.deepEqual([dead.exitCode, dead.stdout], [4, alone.stdout]);
  assert.match(dead.stderr, /^✗ Cannot reach x /);
  const json = await version('dead', '-o', 'json');
  const { client, error } = JSON.parse(json.stdout);
  assert.deepEqual([json.exitCode, client, error.code], [4, '0.0.0', 'unreachable']);
});

test('the client version needs no request', async () => {
  const { length } = other.requests;
  for (const kubeconfig of ['dead', 'other'] as const)
    assert.deepEqual(await version(kubeconfig, '--client'), alone);
  assert.equal(other.requests.length, length);
});
