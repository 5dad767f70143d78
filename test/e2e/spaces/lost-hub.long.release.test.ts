/** An ITS is lost with everything that it knew; a file brings its WECs to another one, and what runs on them keeps running. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AnyObject, resources, until } from '../../../testbed/index.ts';
import { fleetOf, saveFleet } from '../support/fleet-file.ts';
import { inRelease, isRelease } from '../support/in-release.ts';
import { type HostingBed, sendFrom, startHosting } from '../support/spaces.ts';
import { workloadOn } from '../support/workloads.ts';

const names = isRelease ? ['cluster1', 'cluster2', 'cluster3', 'cluster4'] : ['cluster1'];
const graceMs = 10_000;
let all: HostingBed;
let uids: string[][];

before(async () => {
  all = await startHosting(names.map((name) => ({ name })));
  const made = await fleet('its1', 'its1', 'apply', '--yes');
  assert.equal(made.exitCode, 0, made.stdout + made.stderr);
  for (const name of names) {
    await sendFrom(all.hosting.admin, all.bed.plane(name), {
      policy: 'shop',
      matchLabels: { app: 'shop' },
      hasPods: false,
    });
    const grace = { appliedManifestWorkEvictionGracePeriod: `${graceMs / 1000}s` };
    await all.bed
      .plane(name)
      .admin.patch(resources.klusterlets, 'klusterlet', { spec: { workConfiguration: grace } });
  }
  uids = await running();
  await all.hosting.admin.delete(resources.controlPlanes, 'its1');
});

after(() => all?.stop());

/** @param wdsIts the ITS of wds1; without one, the file does not name wds1 */
async function fleet(its: string, wdsIts: string | undefined, verb: string, ...more: string[]) {
  const wds = wdsIts && { wds: [{ name: 'wds1', type: 'host', its: wdsIts }] };
  const wecs = names.map((name) => ({ name, context: name, labels: { app: 'shop' } }));
  const file = await saveFleet(
    all.cli,
    fleetOf(wecs, { spaces: { its: [{ name: its }], ...wds } }),
  );
  const at = `fleet ${verb} -f ${file} --its ${its} --hosting-context hosting`;
  return all.cli.run([...at.split(' '), ...more]);
}

const running = () =>
  Promise.all(names.map(async (name) => (await workloadOn(all.bed.plane(name), 'shop')).uids));
const klusterletOn = (name: string) =>
  all.bed.plane(name).admin.get<AnyObject>(resources.klusterlets, 'klusterlet');
const worksOn = async (name: string) =>
  (await all.bed.plane(name).admin.list<AnyObject>(appliedWorks)).items.map(
    ({ metadata }) => metadata.name,
  );
const appliedWorks = {
  ...{ apiVersion: 'work.open-cluster-management.io/v1', kind: 'AppliedManifestWork' },
  ...{ plural: 'appliedmanifestworks', namespaced: false },
};
const note = 'stellarctl.kubestellar.io/former-eviction-grace-period';

async function graces() {
  const klusterlets = await Promise.all(names.map(klusterletOn));
  return klusterlets.map(({ metadata, spec }) => {
    const { workConfiguration } = spec as {
      workConfiguration?: { appliedManifestWorkEvictionGracePeriod?: string };
    };
    return [
      workConfiguration?.appliedManifestWorkEvictionGracePeriod,
      metadata.annotations?.[note],
    ];
  });
}

it(
  'holds what runs on WECs that come to an ITS which does not send it yet',
  inRelease,
  async () => {
    const refused = await fleet('its2', undefined, 'apply', '--yes');
    assert.match(
      refused.stdout + refused.stderr,
      /cluster1 cannot connect to its2: it is registered with the hub/,
    );
    const plan = await fleet('its2', undefined, 'plan', '--replace-hub');
    assert.match(plan.stdout, /^> cluster1 moves from https:\/\/\S+$/m, plan.stderr);
    assert.match(plan.stdout, /^ {4}\d works? of that hub: kept until its2 sends them$/m);
    assert.match(plan.stdout, /^4 to move, 0 unchanged$/m);

    const words = '--replace-hub --yes --timeout 90s'.split(' ');
    const moved = await fleet('its2', undefined, 'apply', ...words);
    assert.equal(moved.exitCode, 3, moved.stdout + moved.stderr);
    assert.match(moved.stderr, /cluster1: its2 has not sent \d objects? yet: .*shop/);
    await sleep(2 * graceMs);
    assert.deepEqual(await running(), uids);
    assert.deepEqual(
      await graces(),
      names.map(() => ['876000h0m0s', '10s']),
    );
    const late = await fleet('its2', 'its2', 'plan', '--replace-hub');
    assert.match(late.stdout, /^ {4}namespaces shop: kept until its2 sends it$/m);
  },
);

it('puts the grace period back once the ITS sends it, and nothing was created anew', async () => {
  const plan = await fleet('its2', 'its2', 'plan', '--replace-hub');
  assert.match(plan.stdout, /^~ wds1 \(WDS\) sends through \S+ → its2$/m, plan.stderr);
  const done = await fleet('its2', 'its2', 'apply', '--replace-hub', '--yes');
  assert.equal(done.exitCode, 0, done.stdout + done.stderr);
  assert.deepEqual(
    await graces(),
    names.map(() => ['10s', undefined]),
  );
  const before = await worksOn('cluster1');
  await until(
    async () => (await worksOn('cluster1')).length < before.length,
    'the works of the lost hub are forgotten',
  );
  assert.deepEqual(await running(), uids);
  const again = await fleet('its2', 'its2', 'plan', '--replace-hub', '--exit-code');
  assert.equal(again.exitCode, 0, again.stdout + again.stderr);
});
