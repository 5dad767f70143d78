import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Bed, type Plane, resources, writeKubeconfig } from '../../../testbed/index.ts';
import type { Cli, CliRun } from '../support/harness.ts';
import { isRelease } from '../support/in-release.ts';
import { inventoryOf, inventoryOfHub } from '../support/inventory.ts';
import { assertAvailable } from '../support/registration.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';
import { runWorkload, workloadOn } from '../support/workloads.ts';
import { WriteProxy } from '../support/write-proxy.ts';

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

async function join(its: string): Promise<void> {
  await cli.succeed(['wec', 'join', 'cluster1', '--its', its, '--accept', '--label', 'env=edge']);
  await assertAvailable(bed.plane(its), 'cluster1');
}

const leave = (its: string) => [
  'deregister',
  'cluster1=cluster1',
  '--its',
  its,
  '--yes',
  '--cleanup',
];

const inventories = async () => ({
  its1: await inventoryOfHub(its1),
  cluster1: await inventoryOf(cluster1),
});

describe('a deregistration that is killed right after a write', () => {
  it(`completes when rerun, even if killed after each ${isRelease ? '' : 'fourth '}of its writes`, async () => {
    const originally = await inventories();
    await join('its1');
    await cli.succeed(['wec', 'properties', 'cluster1', 'region=north', '--its', 'its1']);
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
    let kill: ((signal: NodeJS.Signals) => void) | undefined;
    const survived = new Set<string>();
    const onWrite = (description: string) => {
      // Generated names, and writes that a wait repeats.
      const write = description
        .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
        .replace(/cluster1-\w{5}$/, '');
      if (survived.has(write)) return;
      survived.add(write);
      if (isRelease || survived.size % 4 === 1) kill?.('SIGKILL');
    };
    const proxies = await Promise.all(
      [its1, cluster1].map((plane) => WriteProxy.start(plane, onWrite)),
    );
    try {
      const kubeconfig = await writeKubeconfig(
        its1,
        proxies.map(({ entry }) => entry),
      );
      let run: CliRun;
      let kills = -1;
      do {
        run = await cli.run(leave('its1'), {
          kubeconfig,
          onStart: (killer) => {
            kill = killer;
          },
        });
        kills += 1;
      } while (run.signal === 'SIGKILL');
      assert.equal(run.exitCode, 0, run.stderr);
      assert.ok(kills >= (isRelease ? 8 : 2), `killed ${kills} times: ${[...survived].join(', ')}`);
    } finally {
      for (const proxy of proxies) proxy.stop();
    }
    assert.deepEqual(await workloadOn(cluster1, namespace), { uids: [], owners: 0 });
    // But the namespace that properties created for all WECs.
    assert.deepEqual(await inventories(), originally);
  });
});

describe('a WEC that has left one ITS', () => {
  it('joins another without extra steps, and leaves it even if its own API server restarts meanwhile', async () => {
    const originally = { its2: await inventoryOf(its2), cluster1: await inventoryOf(cluster1) };
    await join('its2');
    const run = await cli.succeed(leave('its2'), {
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

  it('returns to the first', () => join('its1'));

  it('is registered or deleted, and the commands report which, when join and deregister run concurrently', async () => {
    const [left, joined] = await Promise.all([
      cli.run(leave('its1')),
      cli.run(['wec', 'join', 'cluster1', '--its', 'its1', '--accept']),
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
