/** A label that takes workloads away is tried by KubeStellar's own controllers while nothing is sent. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { type AnyObject, type Api, type Plane, resources, until } from '../../../testbed/index.ts';
import { inRelease } from '../support/in-release.ts';
import { runKilled, type WatchedWrites, watchWrites } from '../support/killed-runs.ts';
import { type HostingBed, type SpaceCli, sendFrom, startHosting } from '../support/spaces.ts';
import { web, workloadOn } from '../support/workloads.ts';

const names = ['cluster1', 'cluster2'];
const _inWds = { namespace: 'wds1-system' };

let all: HostingBed;
let cli: SpaceCli;
let hosting: Plane;
let wds1: Api;
let its1: Api;
let watched: WatchedWrites;

before(async () => {
  all = await startHosting(names.map((name) => ({ name })));
  ({ cli, hosting } = all);
  await cli.type('its create its1 --type host');
  await cli.type('wds create wds1');
  await cli.type(`wec join ${names.join(' ')} --its its1 --accept --label env=prod`);
  its1 = hosting.admin;
  wds1 = await all.bed.nested('wds1');
  const matchLabels = { env: 'prod' };
  for (const policy of ['shop', 'pay'])
    await sendFrom(wds1, all.bed.plane('cluster1'), { policy, matchLabels, hasPods: false });
  await until(async () => (await onWec('cluster2')).length === 4, 'workloads on cluster2');
  watched = await watchWrites([hosting], ...names.map((name) => all.bed.plane(name)));
});

after(async () => {
  watched?.stop();
  await all?.stop();
});

/** The objects of both policies on a WEC, by name and UID. */
const onWec = async (name: string) =>
  (
    await Promise.all(['shop', 'pay'].map((policy) => workloadOn(all.bed.plane(name), policy)))
  ).flatMap(({ uids }) => uids.sort());

const transport = () =>
  hosting.admin.get<AnyObject & { spec: { replicas: number } }>(
    resources.deployments,
    'wds1-system/transport-controller',
  );
const labelsOf = async (name: string) =>
  (await its1.get<AnyObject>(resources.managedClusters, name)).metadata.labels;

/** Nothing of a rehearsal is left: its note, its probes, a transport at zero. */
async function assertOver() {
  assert.equal((await transport()).spec.replicas, 1);
  const { items } = await wds1.list<AnyObject>(resources.bindingPolicies);
  assert.deepEqual(items.map(({ metadata }) => metadata.name).sort(), ['pay', 'shop']);
  const planes = await hosting.admin.list<AnyObject>({
    ...{ apiVersion: 'tenancy.kflex.kubestellar.org/v1alpha1', kind: 'ControlPlane' },
    plural: 'controlplanes',
  });
  const notes = planes.items.map(
    ({ metadata }) => metadata.annotations?.['stellarctl.kubestellar.io/restart'],
  );
  assert.deepEqual(
    notes.filter((note) => note !== undefined),
    [],
  );
}

it('does what was foreseen, and nothing else', async (test) => {
  const other = await onWec('cluster2');
  const since = performance.now();
  const run = await cli.run(
    'label cluster1 env- --yes --its its1 --hosting-context hosting'.split(' '),
  );
  test.diagnostic(`${Math.round(performance.now() - since)} ms`);
  assert.equal(run.exitCode, 0, run.stderr);
  assert.match(run.stderr, /Nothing is sent to any WEC until KubeStellar has made its Bindings/);
  await until(async () => (await onWec('cluster1')).length === 0, 'cluster1 is empty');
  assert.deepEqual(await onWec('cluster2'), other);
  await assertOver();
  await cli.type('label cluster1 env=prod --its its1');
  await until(async () => (await onWec('cluster1')).length === 4, 'workloads on cluster1');
});

it('is taken back if the Bindings are others, and nothing has left', inRelease, async (test) => {
  const before = [await onWec('cluster1'), await onWec('cluster2')];
  const set = (env: string) =>
    its1.patch(resources.managedClusters, 'cluster2', { metadata: { labels: { env } } });
  const since = performance.now();
  const running = cli.run(
    'label cluster1 env- --yes --its its1 --hosting-context hosting'.split(' '),
  );
  // Somebody else changes what the Bindings are, where the forecast did not see it.
  await until(async () => (await transport()).spec.replicas === 0, 'a transport at zero');
  await set('test');
  await until(async () => (await labelsOf('cluster1'))?.env === undefined, 'the label is removed');
  await until(async () => (await labelsOf('cluster1'))?.env === 'prod', 'the label is back');
  await set('prod');
  const run = await running;
  test.diagnostic(`${Math.round(performance.now() - since)} ms\n${run.stderr}`);
  assert.equal(run.exitCode, 1, run.stderr);
  assert.match(run.stderr, /KubeStellar does not do in wds1 what was foreseen: Binding \S+ /);
  assert.match(run.stderr, /The change was taken back; nothing has changed on any WEC/);
  assert.deepEqual([await onWec('cluster1'), await onWec('cluster2')], before);
  await assertOver();
});

it(
  'is taken back if the controller manager crashes, which keeps the workloads of all policies',
  inRelease,
  async (test) => {
    const at = '--wds wds1 --its its1 --hosting-context hosting';
    const label = (wec: string, labels: Record<string, string | null>) =>
      its1.patch(resources.managedClusters, wec, { metadata: { labels } });
    await cli.type(`collector create replicas --preset replicas ${at}`);
    for (const [name, key, collectors] of [
      ['s1', 'a', ['replicas']],
      ['s2', 'b', []],
    ] as const) {
      await wds1.create(resources.namespaces, { metadata: { name, labels: { app: name } } });
      await wds1.create(resources.deployments, web({ namespace: name, labels: { app: name } }));
      const downsync = [
        {
          resources: ['namespaces', 'deployments'],
          objectSelectors: [{ matchLabels: { app: name } }],
          ...(collectors.length > 0 && { statusCollectors: collectors }),
        },
      ];
      const spec = { clusterSelectors: [{ matchLabels: { [key]: '1' } }], downsync };
      await wds1.create(resources.bindingPolicies, { metadata: { name }, spec } as AnyObject);
    }
    await label('cluster1', { a: '1' });
    await label('cluster2', { b: '1' });
    const deploymentOn = async (wec: string, namespace: string) =>
      (
        await all.bed.plane(wec).admin.list<AnyObject>(resources.deployments, { namespace })
      ).items.map(({ metadata }) => metadata.uid);
    const present = async () => [
      ...(await onWec('cluster1')),
      ...(await onWec('cluster2')),
      ...(await deploymentOn('cluster1', 's1')),
      ...(await deploymentOn('cluster2', 's2')),
    ];
    await until(async () => (await present()).length === 10, 'both Deployments');
    const before = await present();
    const since = performance.now();
    const words = 'label cluster2 a=1 --its its1 --hosting-context hosting --yes --max-removed 9';
    const run = await cli.run(words.split(' '));
    test.diagnostic(`${Math.round(performance.now() - since)} ms\n${run.stderr}`);
    assert.equal(run.exitCode, 1, run.stderr);
    assert.match(run.stderr, /the controller manager of wds1 crashes/);
    assert.match(run.stderr, /The change was taken back; nothing has changed on any WEC/);
    assert.deepEqual(await present(), before);
    assert.equal((await transport()).spec.replicas, 1);
    for (const policy of ['s1', 's2']) await cli.type(`policy delete ${policy} --yes ${at}`);
  },
);

it('is taken back after Ctrl-C', inRelease, async () => {
  const before = [await onWec('cluster1'), await onWec('cluster2')];
  let interrupt: ((signal: NodeJS.Signals) => void) | undefined;
  const running = cli.run(
    'label cluster1 env- --yes --its its1 --hosting-context hosting'.split(' '),
    {
      onStart: (kill) => {
        interrupt = kill;
      },
    },
  );
  await until(async () => (await labelsOf('cluster1'))?.env === undefined, 'the label is removed');
  interrupt?.('SIGINT');
  const run = await running;
  assert.equal(run.exitCode, 130, run.stderr);
  assert.match(run.stderr, /The change was taken back; nothing has changed on any WEC/);
  assert.deepEqual([await onWec('cluster1'), await onWec('cluster2')], before);
  await assertOver();
});

it('can be killed after each write, and rerun', inRelease, async (test) => {
  const other = await onWec('cluster2');
  const line = 'label cluster1 env- --yes --its its1 --hosting-context hosting';
  const { writes, killed } = await runKilled(cli, line, watched);
  test.diagnostic(`${killed} runs were killed: ${writes.join(', ')}`);
  assert.ok(
    writes.some((write) => write.includes('managedclusters/cluster1')),
    writes.join(),
  );
  assert.deepEqual(await onWec('cluster2'), other);
  await until(async () => (await onWec('cluster1')).length === 0, 'cluster1 is empty');
  await assertOver();
});
