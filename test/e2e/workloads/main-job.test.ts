/** What the tool exists for, in three commands: clusters join, a workload arrives on both, and they report back. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { type Bed, type RunningWds, resources, runWds, startBed } from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { contextsOf } from '../support/registration.ts';

const wecs = ['w1', 'w2'];
const data = { a: 'b' };

let bed: Bed;
let cli: Cli;
let controllers: RunningWds;

before(async () => {
  bed = await startBed({
    planes: [{ name: 'its1', hub: true }, { name: 'wds1' }, ...wecs.map((name) => ({ name }))],
  });
  cli = await Cli.create(await contextsOf(bed.plane('its1'), bed.plane('wds1'), bed.plane('w1'), bed.plane('w2')));
  controllers = await runWds(bed.plane('wds1'), bed.plane('its1'));
});

after(async () => {
  controllers?.stop();
  await cli?.remove();
  await bed?.stop();
});

const type = (line: string) => cli.succeed(line.split(' '));

it('clusters join, a workload arrives on both, and its delivery is reported', async () => {
  await type(`wec join ${wecs.join(' ')} --its its1 --accept --label tier=web`);

  const { admin } = bed.plane('wds1');
  await admin.create(resources.namespaces, { metadata: { name: 'shop', labels: { app: 'shop' } } });
  const metadata = { name: 'settings', namespace: 'shop', labels: { app: 'shop' } };
  await admin.create(resources.configMaps, { metadata, data } as never);
  await type('policy create shop --clusters tier=web -l app=shop --wds wds1 --its its1');

  await type('workload wait configmap/settings -n shop --for applied --timeout 4m --wds wds1 --its its1');
  for (const wec of wecs) {
    const arrived = await bed.plane(wec).admin.get(resources.configMaps, 'shop/settings');
    assert.deepEqual((arrived as { data?: object }).data, data);
  }
});
