import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Bed, installAddon, type Plane, resources } from '../../../testbed/index.ts';
import type { Cli, CliRun } from '../support/harness.ts';
import { inRelease, rowOptions } from '../support/in-release.ts';
import { inventoryOf, inventoryOfHub } from '../support/inventory.ts';
import { assertUnwritten, markAll } from '../support/refusal.ts';
import { assertAvailable, contextsOf, join } from '../support/registration.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';
import { runWorkload, workloadOn } from '../support/workloads.ts';

const names = ['cluster1', 'cluster2', 'cluster3', 'cluster4'];

let bed: Bed;
let cli: Cli;
let its1: Plane;
let originally: Record<string, unknown>;

before(async () => {
  ({
    bed,
    cli,
    planes: [its1],
  } = await enterPlanes('its1', ...names));
  originally = await inventoryOfHub(its1);
});

after(() => leaveBed(cli));

interface Case {
  name: string;
  how: string;
  /** Options of the join. */
  more?: string;
  hasWorkload?: boolean;
  hasAddon?: boolean;
  deregister?: string;
  inCi?: boolean;
}

const cases: Case[] = [
  {
    name: 'cluster1',
    how: 'in mode Singleton, with workloads and an add-on',
    hasWorkload: true,
    hasAddon: true,
  },
  {
    name: 'cluster2',
    how: 'in mode Default, with workloads',
    more: '--mode Default',
    hasWorkload: true,
    inCi: true,
  },
];

const withoutWorkload = (inventory: Record<string, unknown>, namespace: string) =>
  Object.fromEntries(Object.entries(inventory).filter(([key]) => !key.includes(namespace)));

describe('deregistering a WEC with --cleanup', { concurrency: true }, () => {
  for (const each of cases)
    it(`restores the cluster to its state before the join: ${each.how}`, rowOptions(each), () =>
      roundTrip(each),
    );

  describe('without workloads', { ...inRelease, concurrency: 1 }, () => {
    const each: Case = { name: 'cluster3', how: 'in mode Default', more: '--mode Default' };

    it(`restores the cluster to its state before the join: ${each.how}`, () => roundTrip(each));

    it('can be done by the administrator of the WEC alone with --local, and later by that of the ITS', async () => {
      const { wec, earlier } = await register({ ...each, how: 'in mode Singleton', more: '' });
      const line = 'deregister --local cluster3=cluster3 --yes';
      const kubeconfig = await contextsOf(wec);
      const { stdout } = await cli.type(line, { kubeconfig });
      assert.equal(stdout, 'cluster3: cleaned up\n');
      assert.deepEqual(await inventoryOf(wec), earlier);
      const again = await cli.type(line, { kubeconfig });
      assert.equal(again.stdout, 'cluster3: has no klusterlet; nothing to do\n');

      await assertAvailable(its1, 'cluster3');
      await cli.type('deregister cluster3 --its its1 --yes');
      assert.equal(await its1.admin.find(resources.managedClusters, 'cluster3'), undefined);
    });
  });

  it('and --keep-workloads keeps every workload object with its UID, including pods, and nothing else', async () => {
    const each: Case = {
      name: 'cluster4',
      how: '',
      hasWorkload: true,
      deregister: '--keep-workloads',
    };
    const { wec, earlier, namespace, leave } = await register(each);
    const { uids, owners } = await workloadOn(wec, namespace);
    assert.deepEqual([uids.length, owners], [4, 3]);
    const { stderr } = await leave();
    assert.match(stderr, /Its workloads keep running/);
    assert.deepEqual(await workloadOn(wec, namespace), { uids, owners: 0 });
    assert.deepEqual(withoutWorkload(await inventoryOf(wec), namespace), earlier);
  });
});

describe('the ITS after all WECs have left', () => {
  it('has the objects that it had before the first join', async () => {
    assert.deepEqual(await inventoryOfHub(its1), originally);
  });

  it('has no record of them, so deregistering again changes nothing', async () => {
    await markAll([its1]);
    const { stdout } = await cli.succeed(['deregister', ...names, '--its', 'its1', '--yes']);
    assert.equal(
      stdout,
      names.map((name) => `${name}: is not registered; nothing to do\n`).join(''),
    );
    await assertUnwritten([its1]);
  });
});

async function roundTrip(each: Case) {
  const { wec, earlier, leave } = await register(each);
  const { stdout, stderr } = await leave();
  assert.equal(stdout, `${each.name}: deregistered\n`);
  assert.match(stderr, /^ITS its1 \(https:\/\/127\.0\.0\.1:\d+\)$/m);
  if (each.hasWorkload) {
    assert.match(
      stderr,
      new RegExp(`3 works of policy-${each.name} \\(wds1\\): .*Deployment .*/web`),
    );
    assert.match(stderr, /Its workloads will be removed/);
  }
  assert.deepEqual(await inventoryOf(wec), earlier);

  await markAll([wec]);
  const again = await leave();
  assert.equal(again.stdout, `${each.name}: is not registered; nothing to do\n`);
  await assertUnwritten([wec]);
}

/** Registers a WEC, optionally with its own workload. */
async function register({ name, more = '', hasWorkload, hasAddon, deregister = '' }: Case) {
  const wec = bed.plane(name);
  const earlier = await inventoryOf(wec);
  await join(cli, its1, name, `--label only=${name} ${more}`.trim());
  let namespace = '';
  if (hasWorkload) {
    const workload = { policy: `policy-${name}`, matchLabels: { only: name } };
    ({ namespace } = await runWorkload(its1, wec, workload));
  }
  if (hasAddon) await installAddon(its1, name);
  const line = `deregister ${name}=${name} --its its1 --yes --cleanup ${deregister}`.trim();
  return { wec, earlier, namespace, leave: (): Promise<CliRun> => cli.type(line) };
}
