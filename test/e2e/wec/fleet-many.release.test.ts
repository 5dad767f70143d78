/** A fleet of sixty WECs: its costs, and what an interruption leaves. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { execa } from 'execa';
import { parse } from 'yaml';
import { type FleetFile as File, fleetOf, saveFleet } from '../support/fleet-file.ts';
import { assertModest, byKind, type Cost, ManyWecs } from '../support/many-wecs.ts';

const count = 60;

let many: ManyWecs;

before(async () => {
  many = await ManyWecs.start(count);
});

after(() => many?.stop());

const fleet = (tier: string): File =>
  fleetOf(
    many.names.map((name, index) => ({
      name,
      context: name,
      labels: { tier, zone: `z${index % 3}` },
      properties: { maxPods: String(100 + index) },
    })),
  );

const save = (file: File) => saveFleet(many.cli, file);

const apply = async (file: File): Promise<Cost> =>
  many.measure('fleet', 'apply', '-f', await save(file), '--its', 'its1', '--yes');

const isValue = ({ objectRef }: Cost['writes'][number]) =>
  ['managedclusters', 'configmaps'].includes(objectRef?.resource ?? '') &&
  objectRef?.subresource === undefined;
const isOfPeople = ({ user }: Cost['writes'][number]) => !/^(bed$|system:)/.test(user.username);
const writesOf = ({ writes }: Cost) => writes.filter(isOfPeople);

function report(what: string, { seconds, memory, others, writes }: Cost) {
  const aSecond = (others.length / seconds).toFixed(1);
  console.log(
    `# ${what}: ${seconds.toFixed(1)} s, ${memory} MiB, ${others.length} reads (${aSecond} a second), ${writes.length} writes`,
  );
}

it('is planned at most at three times the cost of kubectl', async () => {
  const file = await save(fleet('web'));
  const plan = await many.measure('fleet', 'plan', '-f', file, '--its', 'its1', '-o', 'json');
  report('plan of 60 new WECs', plan);
  assertModest(plan);
  assert.ok(plan.memory <= 200, `${plan.memory} MiB`);
});

it('is killed in the middle, and completed when rerun', async () => {
  const file = await save(fleet('web'));
  const killed = await many.cli.run(['fleet', 'apply', '-f', file, '--its', 'its1', '--yes'], {
    signalAt: { text: /wec20: cluster accepted/, signal: 'SIGKILL' },
    longest: 600_000,
  });
  assert.equal(killed.signal, 'SIGKILL');
  const cost = await apply(fleet('web'));
  report('the rest of an apply that was killed', cost);
  assertModest(cost);
  const { stdout } = await many.cli.succeed(
    ['fleet', 'export', '--name', 'prod', '--its', 'its1'],
    { longest: 300_000 },
  );
  const byName = ({ wecs }: File) => new Map(wecs.map((wec) => [wec.name, wec]));
  assert.deepEqual(byName(parse(stdout) as File), byName(fleet('web')));
});

it('writes nothing the second time, and reads at most three times as long as kubectl', async () => {
  const again = await apply(fleet('web'));
  report('a second apply', again);
  assert.deepEqual(byKind(writesOf(again).filter(isValue)), []);
  const file = await save(fleet('web'));
  const plan = await many.measure('fleet', 'plan', '-f', file, '--its', 'its1');
  report('plan of 60 WECs without a change', plan);
  assertModest(plan);
  const started = performance.now();
  const env = many.cli.environment();
  const list = (context: string, ...what: string[]) =>
    execa('kubectl', ['--context', context, 'get', ...what, '-o', 'json'], {
      env,
      extendEnv: false,
    });
  await list('its1', 'managedclusters');
  await list('its1', 'configmaps', '-n', 'customization-properties');
  for (const name of many.names) await list(name, 'namespace', 'kube-system');
  const kubectl = (performance.now() - started) / 1000;
  console.log(
    `# kubectl reading the same: ${kubectl.toFixed(1)} s; ratio ${(plan.seconds / kubectl).toFixed(2)}`,
  );
  assert.ok(plan.memory <= 200, `${plan.memory} MiB`);
});

it('changes a label of all by one file', async () => {
  const cost = await apply(fleet('db'));
  report('a label of 60', cost);
  assertModest(cost);
  assert.deepEqual(byKind(writesOf(cost).filter(isValue)), ['patch managedclusters 60']);
});
