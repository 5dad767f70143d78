import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { buildProgram } from '../../../src/program.ts';
import { fakeIo } from '../support/fake-io.ts';
import { FakeServer } from '../support/fake-server.ts';

// Set by the build.
Object.assign(globalThis, { STELLARCTL_VERSION: '1.2.3' });

let folder: string;
/** Neither a hosting cluster nor an ITS: it has none of the kinds. */
let other: FakeServer;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stellarctl-version-'));
  other = await FakeServer.start(() => ({
    status: 404,
    body: { kind: 'Status', status: 'Failure', code: 404 },
  }));
  await writeKubeconfig('other', other.context().cluster);
  await writeKubeconfig('dead', { server: 'https://127.0.0.1:1' });
});
after(async () => {
  await other.stop();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => {
  process.exitCode = 0;
});

const writeKubeconfig = (name: string, cluster: object) =>
  writeFile(
    path.join(folder, name),
    JSON.stringify({
      'current-context': name,
      clusters: [{ name, cluster }],
      users: [{ name, user: { token: 't' } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
    }),
  );

async function version(kubeconfig: string, ...words: string[]) {
  const env = { KUBECONFIG: path.join(folder, kubeconfig), XDG_CONFIG_HOME: folder };
  const { io, stdout, stderr } = fakeIo({ env, argv: ['version', ...words] });
  const program = await buildProgram(io, 'stellarctl');
  await program.parseAsync(['version', ...words], { from: 'user' });
  return { exitCode: process.exitCode, stdout: stdout.text, stderr: stderr.text };
}

const alone = { exitCode: 0, stdout: 'stellarctl   1.2.3\n', stderr: '' };

test('without a context it shows the version of stellarctl', async () => {
  assert.deepEqual(await version('nowhere'), alone);
  const { stdout } = await version('nowhere', '-o', 'yaml');
  assert.equal(stdout, 'client: 1.2.3\n');
});

test('so it does if the current context has nothing of KubeStellar, unless a cluster was named', async () => {
  assert.deepEqual(await version('other'), alone);
  const asked = await version('other', '--hosting-context', 'other');
  assert.deepEqual([asked.exitCode, asked.stdout], [1, alone.stdout]);
  assert.match(asked.stderr, /^✗ other \(https:\S+\) is not a hosting cluster/);
});

test('it is shown even if the cluster does not answer', async () => {
  const dead = await version('dead');
  assert.deepEqual([dead.exitCode, dead.stdout], [4, alone.stdout]);
  assert.match(dead.stderr, /^✗ Cannot reach dead /);
  const json = await version('dead', '-o', 'json');
  const { client, error } = JSON.parse(json.stdout);
  assert.deepEqual([json.exitCode, client, error.code], [4, '1.2.3', 'unreachable']);
});

test('the client version needs no request', async () => {
  const { length } = other.requests;
  for (const kubeconfig of ['dead', 'other'])
    assert.deepEqual(await version(kubeconfig, '--client'), alone);
  assert.equal(other.requests.length, length);
});
