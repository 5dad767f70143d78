import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Bed, type KubeObject, type Plane, resources, wipeWec } from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { inRelease } from '../support/in-release.ts';
import { assertUnwritten, markAll, writesOn } from '../support/refusal.ts';
import { assertAvailable, contextsOf } from '../support/registration.ts';
import { enterBed, leaveBed } from '../support/shared-bed.ts';

let bed: Bed;
let cli: Cli;
let its1: Plane;
let cluster1: Plane;
let cluster2: Plane;

before(async () => {
  bed = await enterBed([{ name: 'its1', hub: true }, { name: 'cluster1' }, { name: 'cluster2' }]);
  [its1, cluster1, cluster2] = ['its1', 'cluster1', 'cluster2'].map((name) => bed.plane(name)) as [Plane, Plane, Plane];
  cli = await Cli.create(await contextsOf(its1, cluster1, cluster2));
});

after(async () => {
  await cli?.remove();
  await leaveBed();
});

async function wipeBoth(): Promise<void> {
  await Promise.all([wipeWec(its1, cluster1, 'cluster1'), wipeWec(its1, cluster2, 'cluster2')]);
}

const everything = () => [its1, cluster1, cluster2];

describe('joining two clusters in parallel with --accept and --label', () => {
  const line = [
    'wec',
    'join',
    'cluster1',
    'cluster2',
    '--accept',
    '--label',
    'location-group=edge',
    '--label',
    'tier=a',
  ];

  before(() => cli.succeed(line));

  it('makes both available on the hub, with their labels', async () => {
    for (const name of ['cluster1', 'cluster2']) {
      const { labels } = (await assertAvailable(its1, name)).metadata;
      assert.equal(labels?.['location-group'], 'edge');
      assert.equal(labels?.tier, 'a');
    }
  });

  it('runs the agent in mode Singleton, as one Deployment', async () => {
    const { items } = await cluster1.admin.list<KubeObject>(resources.deployments, {
      namespace: 'open-cluster-management-agent',
    });
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['klusterlet-agent'],
    );
  });

  it('changes only the label when rerun with another label', async () => {
    await markAll(everything());
    await cli.succeed(['wec', 'join', 'cluster1', '--accept', '--label', 'tier=a', '--label', 'zone=north']);
    assert.deepEqual(await writesOn(its1), ['patch managedclusters cluster1']);
    await assertUnwritten([cluster1, cluster2]);
    assert.equal((await assertAvailable(its1, 'cluster1')).metadata.labels?.zone, 'north');
  });
});

describe('joining two clusters in mode Default', inRelease, () => {
  it('prints exactly one JSON document, and both become available with one Deployment per agent', async () => {
    await wipeBoth();
    const { json } = await cli.succeed([
      'wec',
      'join',
      'cluster1',
      'cluster2',
      '--accept',
      '--mode',
      'Default',
      '--label',
      'a=b',
      '-o',
      'json',
    ]);
    assert.deepEqual(json(), {
      items: ['cluster1', 'cluster2'].map((name) => ({ name, stage: 'available', blockedAt: null, changed: true })),
    });
    for (const plane of [cluster1, cluster2]) {
      assert.equal((await assertAvailable(its1, plane.name)).metadata.labels?.a, 'b');
      const { items } = await plane.admin.list<KubeObject>(resources.deployments, {
        namespace: 'open-cluster-management-agent',
      });
      assert.deepEqual(items.map(({ metadata }) => metadata.name).sort(), [
        'klusterlet-registration-agent',
        'klusterlet-work-agent',
      ]);
    }
  });

  it('writes nothing when rerun without the mode', async () => {
    await markAll(everything());
    const { stdout } = await cli.succeed(['wec', 'join', 'cluster1', '--accept']);
    assert.match(stdout, /nothing to do/);
    await assertUnwritten(everything());
  });
});

describe('two concurrent joins of one cluster', () => {
  it('both succeed', async () => {
    await wipeBoth();
    const line = ['wec', 'join', 'cluster1', '--accept', '--label', 'a=b', '-o', 'json'];
    const [one, other] = await Promise.all([cli.succeed(line), cli.succeed(line)]);
    for (const { json } of [one, other]) {
      const { items } = json();
      assert.equal(items[0].stage, 'available');
    }
    assert.equal((await assertAvailable(its1, 'cluster1')).metadata.labels?.a, 'b');
  });
});
