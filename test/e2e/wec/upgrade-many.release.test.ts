/** Agents of sixty WECs are upgraded in batches; three of them may not be. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { resources } from '../../../testbed/index.ts';
import { assertModest, type Cost, ManyWecs } from '../support/many-wecs.ts';

const count = 60;
const broken = ['wec5', 'wec17', 'wec33'];
/** Seconds between two renewals of a Lease: with 60 WECs, six writes a second on the hub. */
const leaseDurationSeconds = 10;

let many: ManyWecs;

before(async () => {
  many = await ManyWecs.start(count);
  const join = ['wec', 'join', ...many.names, '--ocm-version', '1.2.1', '--its', 'its1'];
  await many.cli.succeed(join, { longest: 600_000 });
  for (const name of many.names)
    await many.hub.admin.patch(resources.managedClusters, name, { spec: { leaseDurationSeconds } });
  await many.cli.succeed(['accept', '--all', '--its', 'its1'], { longest: 600_000 });
  for (const name of broken) await label(name, 'helm');
});

after(() => many?.stop());

/** Whose operator it is. */
async function label(name: string, manager: string) {
  const labels = { 'app.kubernetes.io/managed-by': manager };
  await many
    .apiOf(name)
    .patch(resources.deployments, 'open-cluster-management/klusterlet', { metadata: { labels } });
}

const upgrade = (...more: string[]): Promise<Cost> =>
  many.measure(
    'wec',
    'upgrade',
    ...many.names,
    '--max-failed',
    '2',
    '--its',
    'its1',
    '-o',
    'json',
    ...more,
  );

const statesOf = ({ run }: Cost): Record<string, string[]> => {
  const { items } = run.json() as { items: { name: string; state: string }[] };
  return Object.groupBy(items, ({ state }) => state) as never;
};
const numbers = (states: Record<string, string[]>) =>
  Object.fromEntries(Object.entries(states).map(([state, items]) => [state, items.length]));

it('stops when too many have failed, and says where each is', async () => {
  const cost = await upgrade();
  assertModest(cost, 0, 1);
  console.log(
    `# ${cost.seconds.toFixed(0)} s, ${(cost.others.length / cost.seconds).toFixed(1)} requests a second on the hub`,
  );
  // The first alone, then tens: wec5 is in the first batch, wec17 in the second, wec33 in the fourth.
  assert.deepEqual(numbers(statesOf(cost)), { upgraded: 38, failed: 3, 'not-begun': 19 });
});

it('goes on, and leaves alone what is done', async () => {
  for (const name of broken) await label(name, 'stellarctl');
  const cost = await upgrade();
  assertModest(cost);
  console.log(
    `# ${cost.seconds.toFixed(0)} s, ${(cost.others.length / cost.seconds).toFixed(1)} requests a second on the hub`,
  );
  assert.deepEqual(numbers(statesOf(cost)), { unchanged: 38, upgraded: 22 });
});
