/** Commands on spaces that are interrupted and rerun. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import { type Plane, resources } from '../../../testbed/index.ts';
import { inRelease, isRelease } from '../support/in-release.ts';
import { runKilled, type WatchedWrites, watchWrites } from '../support/killed-runs.ts';
import { assertUnwritten, markAll } from '../support/refusal.ts';
import {
  assertAvailableIn,
  controlPlane,
  type HostingBed,
  type SpaceCli,
  sendFrom,
  startHosting,
} from '../support/spaces.ts';
import { workloadOn } from '../support/workloads.ts';

let all: HostingBed;
let cli: SpaceCli;
let hosting: Plane;
let ext: Plane;
let cluster1: Plane;
let watched: WatchedWrites;
let kubeconfig: string;

before(async () => {
  all = await startHosting([{ name: 'ext' }, { name: 'cluster1' }]);
  ({ cli, hosting } = all);
  [ext, cluster1] = [all.bed.plane('ext'), all.bed.plane('cluster1')];
  watched = await watchWrites([hosting, ext], cluster1);
  ({ kubeconfig } = watched);
});

after(async () => {
  watched?.stop();
  await all?.stop();
});

const type = (line: string) => cli.type(line, { kubeconfig });

/** The garbage collector deletes the namespace of a control plane as well, and may come first. */
async function typeKilled(line: string) {
  const { writes } = await runKilled(cli, line, watched, { inCi: 2 });
  return writes.filter((write) => !write.startsWith('DELETE namespaces/'));
}

async function assertComplete(line: string, name: string) {
  await markAll([hosting, ext]);
  assert.equal((await type(line)).stdout, `${name}: is ready; nothing to do · context ${name}\n`);
  await assertUnwritten([hosting, ext]);
}

/** From the OCM that the hook has installed to another one. */
const ofUpgrade = [
  'PATCH deployments/cluster-manager',
  'PATCH deployments/cluster-manager-addon-manager-controller',
  'PATCH deployments/cluster-manager-placement-controller',
  'PATCH deployments/cluster-manager-registration-controller',
  'PATCH clustermanagers/cluster-manager',
];

describe('a command that is killed after each of its writes and rerun each time', () => {
  it('creates an ITS of type host', async () => {
    const line = 'its create its1 --type host';
    const writes = await typeKilled(line);
    assert.deepEqual(writes, [
      'PATCH clusterrolebindings/kubeflex-manager-cluster-admin-rolebinding',
      'PATCH controlplanes/its1',
      'POST /api/v1/namespaces',
      ...ofUpgrade,
    ]);
    await assertComplete(line, 'its1');
  });

  it('creates an ITS of type external, with a token for a user of a credential plugin, and leaves no Secret', async () => {
    await logInByProgram();
    const line = 'its create its2 --type external --bootstrap-context ext';
    const writes = await typeKilled(line);
    assert.deepEqual(writes, [
      'PATCH serviceaccounts/kubeflex',
      'PATCH clusterrolebindings/kubeflex-clusterrolebinding',
      'POST kubeflex/token',
      'PATCH secrets/its2-bootstrap',
      'PATCH controlplanes/its2',
      'POST /api/v1/namespaces',
      ...ofUpgrade,
    ]);
    const secret = 'kubeflex-system/its2-bootstrap';
    assert.equal(await hosting.admin.find(resources.secrets, secret), undefined);
    await assertComplete(line, 'its2');

    // As if a second run had written it right after KubeFlex had used the first one.
    await hosting.admin.create(resources.secrets, {
      metadata: { namespace: 'kubeflex-system', name: 'its2-bootstrap' },
    });
    await type(line);
    assert.equal(await hosting.admin.find(resources.secrets, secret), undefined);
  });

  it('creates a WDS', async () => {
    const line = 'wds create wds1 --type host --its its1';
    const writes = await typeKilled(line);
    assert.deepEqual(writes, [
      'PATCH postcreatehooks/stellarctl-transport-controller',
      'PATCH controlplanes/wds1',
    ]);
    await assertComplete(line, 'wds1');
  });
});

/** The proxies accept any token, which the external cluster itself does not. */
async function logInByProgram() {
  const apiVersion = 'client.authentication.k8s.io/v1';
  const credential = `${ext.dir}/credential.json`;
  await writeFile(
    credential,
    JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { token: 'any' } }),
  );
  const config = parse(await readFile(kubeconfig, 'utf8'));
  const user = config.users.find(({ name }: { name: string }) => name === 'ext-through-proxy');
  user.user = {
    exec: { apiVersion, command: 'cat', args: [credential], interactiveMode: 'Never' },
  };
  await writeFile(kubeconfig, stringify(config));
}

describe('a command that is interrupted while it waits', inRelease, () => {
  const interrupted = (line: string, text: RegExp) =>
    cli.run(line.split(' '), { kubeconfig, signalAt: { text, signal: 'SIGINT' } });

  it('reports what it has created, and how to resume or undo it', async () => {
    const run = await interrupted('wds create wds2 --its its1', /wds2: observed by KubeFlex/);
    assert.equal(run.exitCode, 130);
    assert.match(run.stderr, /^ {4}The control plane wds2 exists/m);
    assert.match(run.stderr, /To resume, rerun the command$/m);
    await type('wds create wds2 --its its1');
  });

  it('reports what it has begun to delete', async () => {
    const run = await interrupted(
      'wds delete wds2 --hosting-context hosting --yes',
      /wds2: control plane deleted/,
    );
    assert.equal(run.exitCode, 130);
    assert.match(run.stderr, /^ {4}The deletion of wds2 is in progress\.$/m);
    assert.match(run.stderr, /To continue: stellarctl wds delete wds2/);
  });
});

describe('a deletion that is killed after each of its writes and rerun each time', () => {
  it('deletes a WDS, and keeps its workloads with --keep-workloads', async () => {
    await type('wec join cluster1 --its its1 --accept --label location-group=edge');
    await assertAvailableIn(hosting.admin, 'cluster1');
    await sendFrom(hosting.admin, cluster1, {
      policy: 'p1',
      matchLabels: { 'location-group': 'edge' },
      hasPods: true,
    });
    const { uids } = await workloadOn(cluster1, 'p1');
    const writes = await typeKilled(
      'wds delete wds1 --keep-workloads --hosting-context hosting --yes',
    );
    const kinds = writes.map((write) => write.replace(/manifestworks\/.*/, 'manifestworks'));
    assert.deepEqual(kinds, [
      'PATCH controlplanes/wds1',
      'PATCH bindings/p1',
      'DELETE bindingpolicies/p1',
      ...Array(3).fill('PATCH manifestworks'),
      'DELETE bindings/p1',
      'DELETE controlplanes/wds1',
    ]);
    assert.deepEqual(await workloadOn(cluster1, 'p1'), { uids, owners: 0 });
  });

  it('deletes an ITS and its context', async () => {
    const [writes, goneOn] = await Promise.all([
      typeKilled('its delete its2 --hosting-context hosting --yes'),
      isRelease ? type('wds delete wds2 --hosting-context hosting --yes') : undefined,
    ]);
    if (goneOn) assert.match(goneOn.stdout, /^wds2: deleted/);
    assert.equal(await controlPlane(hosting, 'wds2'), undefined);
    assert.deepEqual(writes, ['DELETE controlplanes/its2']);
    const { contexts } = parse(await readFile(kubeconfig, 'utf8'));
    assert.deepEqual(
      contexts.map(({ name }: { name: string }) => name),
      ['hosting', 'ext', 'cluster1', 'its1'],
    );
  });
});
