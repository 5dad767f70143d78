/** An installation whose clusters can pull from one registry only, and the list of what they pull. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type Api,
  type Bed,
  buildHelm,
  chartOf,
  type KubeObject,
  resources,
  startBed,
  until,
} from '../../../testbed/index.ts';
import { Cli, type CliOptions } from '../support/harness.ts';
import { inRelease } from '../support/in-release.ts';

const registry = 'registry.example:5000/mirror';
const from = ['--image-registry', registry];

let bed: Bed;
let cli: Cli;
let options: CliOptions;
let chart: string;

before(async () => {
  bed = await startBed({
    planes: [
      { name: 'hosting', ingress: true },
      { name: 'ext', clusterInfo: true },
      { name: 'cluster1', clusterInfo: true },
    ],
  });
  cli = await Cli.create(bed.kubeconfig);
  options = { env: { PATH: await buildHelm() } };
  chart = await chartOf('0.30.0');
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

interface Pod extends KubeObject {
  spec: Record<'containers' | 'initContainers', { image: string }[] | undefined>;
  status: { containerStatuses?: { ready: boolean }[] };
}

/** The images of all pods, those of the ingress and of workloads left out. */
async function imagesOn(clusters: readonly Api[]) {
  const lists = await Promise.all(clusters.map((cluster) => cluster.list<Pod>(resources.pods)));
  const pods = lists
    .flatMap(({ items }) => items)
    .filter(({ metadata }) => metadata.namespace !== 'traefik');
  const containers = pods.flatMap(({ spec }) => [
    ...(spec.containers ?? []),
    ...(spec.initContainers ?? []),
  ]);
  return [...new Set(containers.map(({ image }) => image))].sort();
}

describe('in an air gap', inRelease, () => {
  it('everything is pulled from the registry, and from one command on no option is needed', async () => {
    const { admin } = bed.plane('hosting');
    const isReady = ({ status }: Pod) => status.containerStatuses?.[0]?.ready === true;
    await until(async () => {
      const { items } = await admin.list<Pod>(resources.pods, { namespace: 'traefik' });
      return items.some(isReady);
    });
    await bed.fault({ kind: 'air-gap', registry });
    const port = String(bed.plane('hosting').ingressPort);
    const init = [
      'init',
      '--hosting-context',
      'hosting',
      '--chart',
      chart,
      '--external-port',
      port,
    ];
    const { stderr } = await cli.succeed([...init, ...from], options);
    assert.match(stderr, /, images from registry\.example:5000\/mirror$/m);
    await bed.plane('hosting').markAudit();
    const again = await cli.succeed([...init, '-o', 'json'], options);
    assert.equal(again.json().items[0].changed, false);

    for (const line of [
      'its create its1',
      'its create its2 --type external --bootstrap-context ext --hub-apiserver https://ext-control-plane:6443',
      'wds create wds1 --its its1',
      'wec join cluster1=cluster1 --its its1 --accept',
    ])
      await cli.succeed(line.split(' '));
    const clusters = [...bed.planes.map(({ admin }) => admin), await bed.nested('its1')];
    const outside = (await imagesOn(clusters)).filter((image) => !image.startsWith(`${registry}/`));
    assert.deepEqual(outside, []);
  });

  it('--print-images lists all that pods use', async () => {
    const clusters = [...bed.planes.map(({ admin }) => admin), await bed.nested('its1')];
    const { stdout } = await cli.succeed(
      ['init', '--chart', chart, '--print-images', ...from],
      options,
    );
    const listed = stdout.split('\n');
    const unlisted = (await imagesOn(clusters)).filter((image) => !listed.includes(image));
    assert.deepEqual(unlisted, []);
    const charts = listed.filter((line) => line.includes('://'));
    assert.deepEqual(charts, [
      'https://charts.loft.sh/charts/vcluster-0.16.4.tgz',
      `oci://${registry}/kubestellar/charts/postgresql:13.1.5`,
      `oci://${registry}/kubestellar/ocm-status-addon-chart:v0.2.0-rc17`,
    ]);
    const { json } = await cli.succeed(
      ['init', '--chart', chart, '--print-images', '-o', 'json'],
      options,
    );
    const { items } = json() as { items: { kind: string; reference: string }[] };
    assert.deepEqual([...new Set(items.map(({ kind }) => kind))], ['image', 'chart']);
    assert.ok(
      items.some(
        ({ reference }) => reference === 'quay.io/open-cluster-management/registration:v1.0.0',
      ),
    );
  });

  it('a space takes no other registry than the hooks name', async () => {
    for (const line of ['its create its3 --type host', 'wds create wds2']) {
      const run = await cli.run([...line.split(' '), '--image-registry', 'other.example']);
      assert.equal(run.exitCode, 1);
      assert.match(
        run.stderr,
        /take images and charts from registry\.example:5000\/mirror, not from other\.example\./,
      );
      assert.match(
        run.stderr,
        /stellarctl init --image-registry other\.example --hosting-context hosting/,
      );
    }
  });

  it('an upgrade keeps the registry', async () => {
    const upgrade = [
      'init',
      '--hosting-context',
      'hosting',
      '--upgrade',
      '--chart',
      await chartOf('0.31.0'),
    ];
    await cli.succeed(upgrade, options);
    const hooks = await bed.plane('hosting').admin.list<KubeObject>(resources.postCreateHooks);
    const images = JSON.stringify(hooks.items).match(/"image":"[^"]+"/g) ?? [];
    assert.ok(images.length > 0);
    assert.deepEqual(
      images.filter((image) => !image.includes(`"${registry}/`)),
      [],
    );
  });
});
