import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type AnyObject,
  type Bed,
  faultyPods,
  installAddon,
  type Plane,
  resources,
  until,
  untilApplied,
} from '../../../testbed/index.ts';
import type { Cli } from '../support/harness.ts';
import { inRelease, isRelease } from '../support/in-release.ts';
import { assertRefused, assertRefuses } from '../support/refusal.ts';
import { join, statusOf } from '../support/registration.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';
import { runWorkload, workloadOn } from '../support/workloads.ts';

const names = [...(isRelease ? ['cluster1', 'cluster2'] : []), 'cluster3'];

let bed: Bed;
let cli: Cli;
let its1: Plane;

before(async () => {
  ({
    bed,
    cli,
    planes: [its1],
  } = await enterPlanes('its1', ...names));
  await Promise.all(names.map((name) => join(cli, its1, name, `--label only=${name}`)));
});

after(() => leaveBed(cli));

const clusterOf = (name: string) => its1.admin.find<AnyObject>(resources.managedClusters, name);

// Each on its own WEC, in parallel: most of the time they wait.
describe('a WEC that cannot leave normally', { concurrency: true }, () => {
  it(
    'because its agent has died is refused, and leaves with --force, which lists what it removes',
    inRelease,
    async () => {
      const name = 'cluster1';
      const wec = bed.plane(name);
      const { namespace } = await runWorkload(its1, wec, {
        policy: 'for-dead',
        matchLabels: { only: name },
      });
      await installAddon(its1, name, ['addon.open-cluster-management.io/addon-pre-delete']);
      await untilApplied(its1, name, 4);
      await kill(name);
      const there = await workloadOn(wec, namespace);
      const line = ['deregister', name, '--its', 'its1', '--yes'];
      await assertRefuses(cli, [wec], line, {
        exitCode: 1,
        says: /agent of cluster1 is not running \(its lease was last renewed \d+s ago\).*4 works/,
        hint: /--force/,
      });
      assert.deepEqual((await clusterOf(name))?.metadata.deletionTimestamp, undefined);

      const { stderr } = await cli.succeed([...line, '--force', '--timeout', '240s']);
      assert.match(stderr, /Its workloads keep running, and nothing manages them/);
      assert.match(
        stderr,
        /removed finalizer cluster\.open-cluster-management\.io\/manifest-work-cleanup of ManifestWork /,
      );
      assert.match(
        stderr,
        /--force +removes, after 15s without progress: .*the pre-delete finalizers of addon-status$/m,
      );
      assert.equal(await clusterOf(name), undefined);
      assert.equal(await its1.admin.find(resources.namespaces, name), undefined);
      assert.deepEqual((await workloadOn(wec, namespace)).uids, there.uids);
    },
  );

  it(
    'because its agent has died keeps its workloads with --force --keep-workloads, without an owner',
    inRelease,
    async () => {
      const name = 'cluster2';
      const wec = bed.plane(name);
      const { namespace } = await runWorkload(its1, wec, {
        policy: 'for-kept',
        matchLabels: { only: name },
      });
      await kill(name);
      const { uids } = await workloadOn(wec, namespace);
      await cli.type(
        `deregister ${name}=${name} --its its1 --yes --cleanup --keep-workloads --force --timeout 240s`,
      );
      assert.equal(await clusterOf(name), undefined);
      assert.deepEqual(await workloadOn(wec, namespace), { uids, owners: 0 });
      assert.equal(
        await wec.admin.find(resources.namespaces, 'open-cluster-management-agent'),
        undefined,
      );
    },
  );

  it('because its agent dies meanwhile, or an object is held there, is reported at the deadline with what blocks it, and leaves when nothing does', async () => {
    const name = 'cluster3';
    const wec = bed.plane(name);
    const { namespace } = await runWorkload(its1, wec, {
      policy: 'for-dying',
      matchLabels: { only: name },
    });
    const before = await clusterOf(name);
    const mend = await bed.fault({ kind: 'dead', plane: name, pod: faultyPods.agents });
    const started = Date.now();
    const run = await cli.run(`deregister ${name} --its its1 --yes --timeout 15s`.split(' '));
    assert.ok(Date.now() - started < 60_000, 'it did not end at its deadline');
    assertRefused(run, {
      exitCode: 3,
      says: /works of cluster3 were not removed in time/,
      hint: /--force/,
    });
    assert.match(
      run.stderr,
      /blocked by finalizer cluster\.open-cluster-management\.io\/manifest-work-cleanup/,
    );
    assert.deepEqual((await clusterOf(name))?.metadata.labels, before?.metadata.labels);

    await mend();
    // The agent removes the works first, and the policy, which selects the WEC again, sends them anew.
    await untilApplied(its1, name, 3);
    const key = `${namespace}/hello`;
    await wec.admin.patch(resources.configMaps, key, {
      metadata: { finalizers: ['example.com/hold'] },
    });
    const held = await cli.run(
      `deregister ${name}=${name} --its its1 --yes --timeout 15s`.split(' '),
    );
    assertRefused(held, {
      exitCode: 3,
      says: /works of cluster3 were not removed in time/,
      hint: /kubectl --context cluster3 -n for-dying-space get configmaps hello -o yaml --show-managed-fields/,
    });

    assert.match(
      held.stderr,
      /On cluster3, configmaps \S+\/hello is being deleted, and is blocked by finalizer example\.com\/hold/,
    );

    await wec.admin.patch(resources.configMaps, key, { metadata: { finalizers: null } });
    await cli.type(`deregister ${name} --its its1 --yes`);
    assert.equal(await clusterOf(name), undefined);
  });
});

/** Kills a WEC's agent, and lets the hub notice it soon. */
async function kill(name: string) {
  await bed.fault({ kind: 'dead', plane: name, pod: faultyPods.agents });
  await its1.admin.patch(resources.managedClusters, name, { spec: { leaseDurationSeconds: 1 } });
  await until(
    async () => statusOf(await clusterOf(name), 'ManagedClusterConditionAvailable') === 'Unknown',
    `notice that ${name} is dead`,
  );
}
