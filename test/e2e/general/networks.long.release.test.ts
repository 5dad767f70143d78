import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { type Bed, type ManagedCluster, type Plane, resources, writeKubeconfig } from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { inRelease, isRelease } from '../support/in-release.ts';
import { assertAvailable, contextsOf } from '../support/registration.ts';
import { enterBed, leaveBed } from '../support/shared-bed.ts';
import { TroubledNetwork } from '../support/troubled-network.ts';

const many = 2000;
const page = 500;
/** As large as the status that an agent reports for a cluster. */
const claims = Array.from(
  { length: 40 },
  (_, index) => `{"name":"claim-${index}.example.com","value":"v${index * 7919}"}`,
);

let bed: Bed;
let cli: Cli;
let its1: Plane;
let cluster1: Plane;
let network: TroubledNetwork;
let kubeconfig: string;

before(async () => {
  bed = await enterBed([{ name: 'its1', hub: true }, { name: 'cluster1' }]);
  [its1, cluster1] = [bed.plane('its1'), bed.plane('cluster1')];
  cli = await Cli.create(await contextsOf(its1, cluster1));
  const waiting = Array.from({ length: isRelease ? many : 0 }, (_, index) => index).values();
  const announceSome = async () => {
    for (const index of waiting)
      await its1.admin.create<ManagedCluster>(resources.managedClusters, {
        metadata: {
          name: `wec-${index}`,
          labels: { half: index < page ? 'first' : 'rest' },
          annotations: { 'example.com/claims': claims.join() },
        },
        spec: { hubAcceptsClient: false },
      });
  };
  await Promise.all(Array.from({ length: 16 }, announceSome));
  network = await TroubledNetwork.start(its1, 500, 100_000);
  kubeconfig = await writeKubeconfig(its1, [network.entry, cluster1.kubeconfigEntry]);
});

after(async () => {
  network?.stop();
  await cli?.remove();
  await leaveBed();
});

async function timed<T>(work: Promise<T>): Promise<[T, seconds: number]> {
  const started = Date.now();
  return [await work, (Date.now() - started) / 1000];
}

describe('over a 100 kB/s link with half a second of latency', { concurrency: 1 }, () => {
  it(`${many} WECs are listed`, inRelease, async (t) => {
    const [{ json }, seconds] = await timed(
      cli.succeed(['wec', 'list', '--its', 'its1', '-o', 'json'], { kubeconfig }),
    );
    assert.equal(json().items.length, many);
    t.diagnostic(`in ${seconds} s`);
  });

  it('an uncompressed page that takes longer than a server may be silent is read', inRelease, async (t) => {
    const plain = `${kubeconfig}-plain`;
    const text = await readFile(kubeconfig, 'utf8');
    await writeFile(plain, text.replace(/^( *)server:/gm, '$1disable-compression: true\n$1server:'));
    assert.notEqual(await readFile(plain, 'utf8'), text);
    const line = ['wec', 'list', '--its', 'its1', '-l', 'half=first', '-o', 'json'];
    const [{ json }, seconds] = await timed(cli.succeed(line, { kubeconfig: plain }));
    assert.equal(json().items.length, page);
    assert.ok(seconds > 12, `in ${seconds} s`);
    t.diagnostic(`in ${seconds} s`);
  });

  it('one WEC joins', async (t) => {
    const [, seconds] = await timed(
      cli.succeed(['wec', 'join', 'cluster1', '--its', 'its1', '--accept'], { kubeconfig }),
    );
    await assertAvailable(its1, 'cluster1');
    t.diagnostic(`in ${seconds} s`);
  });
});
