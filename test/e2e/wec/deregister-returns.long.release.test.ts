import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Bed, type Plane, resources } from '../../../testbed/index.ts';
import type { Cli } from '../support/harness.ts';
import { isRelease } from '../support/in-release.ts';
import { inventoryOf, inventoryOfHub } from '../support/inventory.ts';
import { runKilled, watchWrites } from '../support/killed-runs.ts';
import { join } from '../support/registration.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';
import { runWorkload, workloadOn } from '../support/workloads.ts';

let bed: Bed;
let cli: Cli;
let its1: Plane;
let its2: Plane;
let cluster1: Plane;

before(async () => {
  ({
    bed,
    cli,
    planes: [its1, its2, cluster1],
  } = await enterPlanes('its1', 'its2', 'cluster1'));
});

after(() => leaveBed(cli));

const joinTo = (its: string) => join(cli, bed.plane(its), 'cluster1', '--label env=edge');
const leave = (its: string) => `deregister cluster1=cluster1 --its ${its} --yes --cleanup`;

const inventories = async () => ({
  its1: await inventoryOfHub(its1),
  cluster1: await inventoryOf(cluster1),
});

describe('a deregistration that is killed right after a write', () => {
  it(`completes when rerun, even if killed after each ${isRelease ? '' : 'fourth '}of its writes`, async () => {
    const originally = await inventories();
    await joinTo('its1');
    await cli.type('wec properties cluster1 region=north --its its1');
    // As `wec grant` writes it.
    await cluster1.admin.create(resources.clusterRoles, {
      metadata: {
        name: 'stellarctl:work-agent',
        labels: { 'app.kubernetes.io/managed-by': 'stellarctl' },
      },
    });
    const { namespace } = await runWorkload(its1, cluster1, {
      policy: 'edge',
      matchLabels: { env: 'edge' },
    });
    // Generated names, and writes that a wait repeats.
    const named = (write: string) =>
      write
        .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
        .replace(/cluster1-\w{5}$/, '');
    const watched = await watchWrites([its1, cluster1]);
    try {
      const options = { inCi: 4, named };
      const { killed, writes } = await runKilled(cli, leave('its1'), watched, options);
      assert.ok(killed >= (isRelease ? 8 : 2), `killed ${killed} times: ${writes.join(', ')}`);
    } finally {
      watched.stop();
    }
    assert.deepEqual(await workloadOn(cluster1, namespace), { uids: [], owners: 0 });
    // But the namespace that properties created for all WECs.
    assert.deepEqual(await inventories(), originally);
  });
});

describe('a WEC that has left one ITS', () => {
  it('joins another without extra steps, and leaves it even if its own API server restarts meanwhile', async () => {
    const originally = { its2: await inventoryOf(its2), cluster1: await inventoryOf(cluster1) };
    await joinTo('its2');
    const run = await cli.type(leave('its2'), {
      whenPrinted: {
        text: /ManagedCluster deleted/,
        act: async () => {
          await cluster1.stop();
          await cluster1.start();
        },
      },
    });
    assert.equal(run.stdout, 'cluster1: deregistered\n');
    assert.deepEqual(
      { its2: await inventoryOf(its2), cluster1: await inventoryOf(cluster1) },
      originally,
    );
  });

  it('returns to the first', async () => {
    await joinTo('its1');
  });

  it('is registered or deleted, and the commands report which, when join and deregister run concurrently', async () => {
    const [left, joined] = await Promise.all([
      cli.run(leave('its1').split(' ')),
      cli.run('wec join cluster1 --its its1 --accept'.split(' ')),
    ]);
    const said = `${left.exitCode} ${left.stderr}\n${joined.exitCode} ${joined.stderr}`;
    const registered = await its1.admin.find(resources.managedClusters, 'cluster1');
    const klusterlet = await cluster1.admin
      .find(resources.klusterlets, 'klusterlet')
      .catch(() => undefined);
    assert.equal(registered === undefined, klusterlet === undefined, said);
    if (registered === undefined) assert.equal(left.exitCode, 0, said);
    else assert.equal(joined.exitCode, 0, said);
    for (const run of [left, joined]) if (run.exitCode !== 0) assert.match(run.stderr, /✗ /);
  });
});
