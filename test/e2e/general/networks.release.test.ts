import { after, before, describe, it } from 'node:test';
import { type Plane, writeKubeconfig } from '../../../testbed/index.ts';
import type { Cli } from '../support/harness.ts';
import { Network } from '../support/network.ts';
import { assertAvailable } from '../support/registration.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';

let cli: Cli;
let its1: Plane;
let cluster1: Plane;
let network: Network;
let kubeconfig: string;

before(async () => {
  ({
    cli,
    planes: [its1, cluster1],
  } = await enterPlanes('its1', 'cluster1'));
  network = await Network.start(its1, { delayMs: 500, bytesPerSecond: 100_000 });
  kubeconfig = await writeKubeconfig(its1, [network.entry, cluster1.kubeconfigEntry]);
});

after(async () => {
  network?.stop();
  await leaveBed(cli);
});

describe('over a 100 kB/s link with half a second of latency', { concurrency: 1 }, () => {
  it('one WEC joins', async (t) => {
    const started = Date.now();
    await cli.type('wec join cluster1 --its its1 --accept', { kubeconfig });
    await assertAvailable(its1, 'cluster1');
    t.diagnostic(`in ${(Date.now() - started) / 1000} s`);
  });
});
