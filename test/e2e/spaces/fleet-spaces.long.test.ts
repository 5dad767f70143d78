/** A fleet with its spaces: from an empty hosting cluster to a WEC that is registered, by one file. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { fleetOf, saveFleet } from '../support/fleet-file.ts';
import { writesOn } from '../support/refusal.ts';
import { type HostingBed, startHosting } from '../support/spaces.ts';

let all: HostingBed;
let file: string;

before(async () => {
  all = await startHosting([{ name: 'cluster1' }]);
  await save('edge');
});

after(() => all?.stop());

async function save(group: string) {
  const wec = { name: 'cluster1', context: 'cluster1', labels: { 'location-group': group } };
  const spaces = {
    its: [{ name: 'its1', type: 'host' }],
    wds: [{ name: 'wds1', type: 'host', its: 'its1' }],
  };
  file = await saveFleet(all.cli, fleetOf([wec], { spaces }));
}

const fleet = (verb: string, ...more: string[]) =>
  all.cli.run(['fleet', verb, '-f', file, '--hosting-context', 'hosting', ...more]);

it('is planned before its ITS exists', async () => {
  await all.hosting.markAudit();
  const run = await fleet('plan', '--exit-code');
  assert.equal(run.exitCode, 5, run.stderr);
  assert.equal(
    run.stdout,
    `+ its1 (ITS) is created
+ wds1 (WDS) is created
+ cluster1 joins
    label location-group: - → edge
1 to join, 0 unchanged
`,
  );
  assert.deepEqual(await writesOn(all.hosting), []);
  const asked = await fleet('apply');
  assert.match(asked.stderr, /✗ Apply the fleet prod\? This needs confirmation/);
  assert.deepEqual(await writesOn(all.hosting), []);
});

it('creates what is missing, registers the WEC, and does nothing the second time', async () => {
  const first = await fleet('apply', '--yes');
  assert.equal(first.exitCode, 0, first.stdout + first.stderr);
  assert.match(first.stdout, /^its1: ready/m);
  assert.match(first.stdout, /^wds1: ready/m);
  assert.match(first.stdout, /^cluster1: joined and available/m);
  const again = await fleet('plan', '--exit-code', '-o', 'json');
  assert.equal(again.exitCode, 0, again.stderr);
  const { items, spaces } = again.json();
  assert.deepEqual(items, [{ name: 'cluster1', action: 'unchanged', changes: [], adopts: false }]);
  assert.deepEqual(
    spaces.map(({ name, action }: { name: string; action: string }) => `${action} ${name}`),
    ['unchanged its1', 'unchanged wds1'],
  );
});

it('shows which workloads a change of labels moves', async () => {
  await all.cli.type(
    'policy create shop --clusters location-group=edge -l app=shop --wds wds1 --hosting-context hosting --yes --allow-errors',
  );
  await save('core');
  const run = await fleet('plan');
  assert.match(
    run.stdout,
    /The binding policy shop \(wds1\) will stop selecting cluster1: nothing is deleted there/,
  );
});
