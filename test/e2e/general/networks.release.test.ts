import { after, before, describe, it } from 'node:test';
import { type Plane, writeKubeconfig } from '../../../testbed/index.ts';
import type { Cli } from '../support/harness.ts';
import { assertAvailable } from '../support/registration.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';
import { TroubledNetwork } from '../support/troubled-network.ts';

let cli: Cli;
let its1: Plane;
let cluster1: Plane;
let network: TroubledNetwork;
let kubeconfig: string;

before(async () => {
  ({
    cli,
    planes: [its1, cluster1],
  } = await enterPlanes('its1', 'cluster1'));
  network = await TroubledNetwork.start(its1, 500, 100_000);
  kubeconfig = await writeKubeconfig(its1, [network.entry, cluster1.kubeconfigEntry]);
});

after(async () => {
  network?.stop();
  await leaveBed(cli);
});

async function timed<T>(work: Promise<T>): Promise<[T, seconds: number]> {
  const started = Date.now();
  return [await work, (Date.now() - started) / 1000];
}

describe('over a 100 kB/s link with half a second of latency', { concurrency: 1 }, () => {
  it('one WEC joins', async (t) => {
    const [, seconds] = await timed(
      cli.succeed(['wec', 'join', 'cluster1', '--its', 'its1', '--accept'], { kubeconfig }),
    );
    await assertAvailable(its1, 'cluster1');
    t.diagnostic(`in ${seconds} s`);
  });
});
