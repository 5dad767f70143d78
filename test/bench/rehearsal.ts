import assert from 'node:assert/strict';
import { type AnyObject, resources, until } from '../../testbed/index.ts';
import { startHosting } from '../e2e/support/spaces.ts';
import { atMost } from './goals.ts';

const policies = 50;
/** How many select a WEC: KubeStellar writes two or three works a second. */
const ofEach = 1;

/** What a rehearsal of KubeStellar's own controllers takes: a label of one of 300 WECs (WECS), with 50 policies. */
export async function benchRehearsal(): Promise<void> {
  const count = Number(process.env.WECS ?? 300);
  const { bed, hosting, cli, stop } = await startHosting();
  try {
    await cli.type('its create its1 --type host');
    await cli.type('wds create wds1');
    const [its, wds] = [hosting.admin, await bed.nested('wds1')];
    for (let index = 0; index < policies; index += 1) {
      const labels = { app: `p${index}` };
      await wds.ensure(resources.configMaps, {
        metadata: { name: `p${index}`, namespace: 'default', labels },
      } as AnyObject);
      await wds.ensure(resources.bindingPolicies, {
        metadata: { name: `p${index}` },
        spec: {
          clusterSelectors: [
            { matchLabels: { env: 'prod', group: `g${index % (policies / ofEach)}` } },
          ],
          downsync: [{ resources: ['configmaps'], objectSelectors: [{ matchLabels: labels }] }],
        },
      } as AnyObject);
    }
    for (let index = 0; index < count; index += 1)
      await its.ensure(resources.managedClusters, {
        metadata: {
          name: `w${index}`,
          labels: { env: 'prod', group: `g${index % (policies / ofEach)}` },
        },
        spec: { hubAcceptsClient: true },
      } as AnyObject);
    const works = async () => (await its.list<AnyObject>(resources.manifestWorks)).items.length;
    await until(async () => (await works()) === count * ofEach, 'all works', 1_800_000);
    console.log(`\n${await works()} works of ${policies} policies on ${count} WECs`);
    for (const line of ['label w0 env-', 'label w1 env- --no-rehearsal']) {
      const since = performance.now();
      const run = await cli.run(`${line} --its its1 --hosting-context hosting --yes`.split(' '));
      const seconds = (performance.now() - since) / 1000;
      assert.equal(run.exitCode, 0, run.stderr);
      console.log(`${line}: ${seconds.toFixed(1)} s`);
      if (!line.endsWith('rehearsal')) atMost('label, tried first', seconds, 20, 's');
    }
  } finally {
    await stop();
  }
}
