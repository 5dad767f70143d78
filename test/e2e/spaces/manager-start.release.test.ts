/** A controller manager that is started by hand: what it does to objects on a WEC, and what a dry run says before and after. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AnyObject, type Plane, resources, until } from '../../../testbed/index.ts';
import { deletePods } from '../support/registration.ts';
import { type HostingBed, type SpaceCli, sendFrom, startHosting } from '../support/spaces.ts';
import { workloadOn } from '../support/workloads.ts';

const policies = ['p1', 'p2'];
const manager = 'kubestellar-controller-manager-';

let all: HostingBed;
let cli: SpaceCli;
let hosting: Plane;
let cluster1: Plane;

before(async () => {
  all = await startHosting([{ name: 'cluster1' }]);
  ({ cli, hosting } = all);
  cluster1 = all.bed.plane('cluster1');
  await cli.type('its create its1 --type host');
  await cli.type('wds create wds1 --type host --guard');
  await cli.type('wec join cluster1 --its its1 --accept --label location-group=edge');
  const matchLabels = { 'location-group': 'edge' };
  for (const policy of policies)
    await sendFrom(hosting.admin, cluster1, { policy, matchLabels, hasPods: false });
});

after(() => all?.stop());

/** The objects of each policy on the WEC, by name and UID. */
const onWec = async () =>
  (await Promise.all(policies.map((policy) => workloadOn(cluster1, policy)))).flatMap(({ uids }) =>
    uids.sort(),
  );

const namesOf = (uids: readonly string[]) => uids.map((line) => line.split(' ')[0]);

/** What the removal of the label does by which both policies select the WEC. */
async function foreseen() {
  const words = 'label cluster1 location-group- --its its1 --dry-run -o json';
  const run = await cli.run(words.split(' '));
  assert.equal(run.exitCode, 0, run.stdout + run.stderr);
  const { effects } = run.json() as { effects: { effect: string }[] };
  assert.deepEqual(
    effects.map(({ effect }) => effect),
    Array(2 * policies.length).fill('removed'),
  );
  return effects;
}

const generations = async () =>
  (await hosting.admin.list<AnyObject>(resources.bindings)).items.map(
    ({ metadata: { name, generation = 0 } }) => `${name} ${generation}`,
  );

const managers = async () =>
  (await hosting.admin.list<AnyObject>(resources.pods, { namespace: 'wds1-system' })).items.filter(
    ({ metadata }) => metadata.name.startsWith(manager),
  );

/** Deletes the pod of the controller manager, as somebody does by hand, and waits until there is another one. */
async function startAgain() {
  const [last] = await managers();
  await deletePods(hosting, 'wds1-system', manager);
  await until(async () => {
    const [pod, ...others] = await managers();
    return others.length === 0 && pod !== undefined && pod.metadata.uid !== last?.metadata.uid;
  }, 'another controller manager');
}

it('with a guard, objects and the rows of a dry run are the same after a start by hand', async () => {
  const [rows, uids] = [await foreseen(), await onWec()];
  await startAgain();
  // What it would do at its start, it has done.
  await sleep(30_000);
  assert.deepEqual(await onWec(), uids);
  assert.deepEqual(await foreseen(), rows);
});

it('without a guard, what a start by hand takes away is no more than doctor says, and comes again', async (test) => {
  await cli.type('wds unguard wds1 --yes --hosting-context hosting');
  const { stdout } = await cli.run(['doctor']);
  const said = /would delete (\d+) objects on 1 WEC, and create them again/.exec(stdout)?.[1];
  assert.equal(said, String(2 * policies.length));
  const [rows, uids, before] = [await foreseen(), await onWec(), await generations()];
  await startAgain();
  const isWritten = async () =>
    (await generations()).every((line) => !before.includes(line)) &&
    (await onWec()).length === uids.length;
  await until(isWritten, 'Bindings that were written again, and their objects');
  // What it would do at its start, it has done.
  await sleep(30_000);
  await until(async () => (await onWec()).length === uids.length, 'all objects');
  const now = await onWec();
  // How many are lost depends on when the transport looks: Bindings are empty for a moment only.
  const lost = uids.filter((line) => !now.includes(line));
  test.diagnostic(`${lost.length} of ${uids.length} objects are others: ${namesOf(lost)}`);
  assert.deepEqual(namesOf(now), namesOf(uids));
  assert.deepEqual(await foreseen(), rows);
});
