/** A change that takes workloads away is tried by KubeStellar's own controllers while nothing is sent. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type AnyObject, type Api, type Plane, resources, until } from '../../../testbed/index.ts';
import { inRelease } from '../support/in-release.ts';
import { runKilled, type WatchedWrites, watchWrites } from '../support/killed-runs.ts';
import { type HostingBed, type SpaceCli, sendFrom, startHosting } from '../support/spaces.ts';
import { web, workloadOn } from '../support/workloads.ts';

const names = ['cluster1', 'cluster2'];
/** Not registered at first. */
const third = 'cluster3';
const inWds1 = '--wds wds1 --its its1';
const flags = '--yes --hosting-context hosting';

let all: HostingBed;
let cli: SpaceCli;
let hosting: Plane;
let wds1: Api;
let its1: Api;
let watched: WatchedWrites;
/** Policy shop before the changes. */
let shop: Policy;
/** Policy shop for cluster2 alone, as a file. */
let file: string;
const inFolder = (name: string) => join(dirname(file), name);

type Policy = AnyObject & { spec: { clusterSelectors: object[] } };

before(async () => {
  all = await startHosting([...names, third].map((name) => ({ name })));
  ({ cli, hosting } = all);
  await cli.type('its create its1 --type host');
  await cli.type('wds create wds1');
  await cli.type(
    `wec join ${names.join(' ')} --its its1 --accept --label env=prod --label name={name}`,
  );
  its1 = hosting.admin;
  wds1 = await all.bed.nested('wds1');
  const matchLabels = { env: 'prod' };
  for (const policy of ['shop', 'pay'])
    await sendFrom(wds1, all.bed.plane('cluster1'), { policy, matchLabels, hasPods: false });
  await until(async () => (await onWec('cluster2')).length === 4, 'workloads on cluster2');
  shop = await wds1.get<Policy>(resources.bindingPolicies, 'shop');
  const spec = {
    ...shop.spec,
    clusterSelectors: [{ matchLabels: { env: 'prod', name: 'cluster2' } }],
  };
  const { apiVersion, kind, metadata } = shop;
  file = join(mkdtempSync(join(tmpdir(), 'stellarctl-')), 'shop.json');
  writeFileSync(
    file,
    JSON.stringify({ apiVersion, kind, metadata: { name: metadata.name }, spec }),
  );
  const fleet = {
    ...{ apiVersion: 'stellarctl.kubestellar.io/v1alpha1', kind: 'Fleet' },
    ...{ metadata: { name: 'prod' }, wecs: [{ name: 'cluster1', labels: { env: 'test' } }] },
  };
  writeFileSync(inFolder('fleet.yaml'), JSON.stringify(fleet));
  watched = await watchWrites([hosting], ...[...names, third].map((name) => all.bed.plane(name)));
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
  assert.match(
    run.stderr,
    /KubeStellar tries it first: for about 10 seconds, nothing of wds1 is sent/,
  );
  await until(async () => (await onWec('cluster1')).length === 0, 'cluster1 is empty');
  assert.deepEqual(await onWec('cluster2'), other);
  await assertOver();
  await cli.type('label cluster1 env=prod --its its1');
  await until(async () => (await onWec('cluster1')).length === 4, 'workloads on cluster1');
});

const everywhere = async () => [await onWec('cluster1'), await onWec('cluster2')];

/** Changes that take workloads from cluster1 only. */
const changes = [
  {
    ...{ command: 'label', line: () => 'label cluster1 env- --its its1', isGone: 4 },
    isWritten: async () => (await labelsOf('cluster1'))?.env === undefined,
    undo: () => cli.type('label cluster1 env=prod --its its1'),
  },
  {
    ...{ command: 'policy apply', line: () => `policy apply -f ${file} ${inWds1}`, isGone: 2 },
    isWritten: async () => {
      const { spec } = await wds1.get<Policy>(resources.bindingPolicies, 'shop');
      return JSON.stringify(spec.clusterSelectors).includes('cluster2');
    },
    undo: () => wds1.patch(resources.bindingPolicies, 'shop', { spec: shop.spec }),
  },
  {
    ...{ command: 'fleet apply', isGone: 4 },
    line: () => `fleet apply -f ${inFolder('fleet.yaml')} --its its1 --max-removed 1`,
    isWritten: async () => (await labelsOf('cluster1'))?.env === 'test',
    undo: () => cli.type('label cluster1 env=prod --overwrite --its its1'),
  },
];

for (const { command, line, isGone, isWritten, undo } of changes) {
  it(
    `${command}: is taken back if the Bindings are others, and nothing has left`,
    inRelease,
    async (test) => {
      const before = await everywhere();
      const set = (env: string) =>
        its1.patch(resources.managedClusters, 'cluster2', { metadata: { labels: { env } } });
      const since = performance.now();
      const running = cli.run(`${line()} ${flags}`.split(' '));
      // Somebody else changes what the Bindings are, where the forecast did not see it.
      await until(async () => (await transport()).spec.replicas === 0, 'a transport at zero');
      await set('test');
      await until(isWritten, 'the change is written');
      await until(async () => !(await isWritten()), 'the change is taken back');
      await set('prod');
      const run = await running;
      test.diagnostic(`${Math.round(performance.now() - since)} ms\n${run.stderr}`);
      assert.equal(run.exitCode, 1, run.stderr);
      assert.match(run.stderr, /KubeStellar does not do in wds1 what was foreseen: Binding \S+ /);
      assert.match(run.stderr, /The change was taken back; nothing has changed on any WEC/);
      assert.deepEqual(await everywhere(), before);
      await assertOver();
    },
  );

  it(`${command}: is taken back after Ctrl-C`, inRelease, async () => {
    const before = await everywhere();
    let interrupt: ((signal: NodeJS.Signals) => void) | undefined;
    const running = cli.run(`${line()} ${flags}`.split(' '), {
      onStart: (kill) => {
        interrupt = kill;
      },
    });
    await until(isWritten, 'the change is written');
    interrupt?.('SIGINT');
    const run = await running;
    assert.equal(run.exitCode, 130, run.stderr);
    assert.match(run.stderr, /The change was taken back; nothing has changed on any WEC/);
    assert.deepEqual(await everywhere(), before);
    await assertOver();
  });

  it(
    `${command}: --dry-run --rehearse takes it back, and says that KubeStellar does it`,
    inRelease,
    async () => {
      const before = await everywhere();
      const run = await cli.run(
        `${line()} --dry-run --rehearse --hosting-context hosting`.split(' '),
      );
      assert.equal(run.exitCode, 0, run.stderr);
      assert.match(run.stderr, /KubeStellar makes the Bindings that were foreseen/);
      assert.equal(await isWritten(), false);
      assert.deepEqual(await everywhere(), before);
      await assertOver();
    },
  );

  it(`${command}: can be killed after each write, and rerun`, inRelease, async (test) => {
    const other = await onWec('cluster2');
    const { writes, killed } = await runKilled(cli, `${line()} ${flags}`, watched);
    test.diagnostic(`${killed} runs were killed: ${writes.join(', ')}`);
    assert.ok(await isWritten());
    assert.deepEqual(await onWec('cluster2'), other);
    await until(async () => (await onWec('cluster1')).length === 4 - isGone, 'they are gone');
    await assertOver();
    await undo();
    await until(async () => (await onWec('cluster1')).length === 4, 'workloads on cluster1');
  });
}
describe(
  'the controller manager crashes, which keeps the workloads of all policies:',
  inRelease,
  () => {
    const at = '--wds wds1 --its its1 --hosting-context hosting';
    let whole: unknown;
    const deploymentOn = async (wec: string, namespace: string) =>
      (
        await all.bed.plane(wec).admin.list<AnyObject>(resources.deployments, { namespace })
      ).items.map(({ metadata }) => metadata.uid);
    const present = async () => [
      ...(await everywhere()).flat(),
      ...(await deploymentOn('cluster1', 's1')),
      ...(await deploymentOn('cluster2', 's2')),
    ];
    /** Namesakes: s1 asks for a collector, and goes to cluster1; s2 goes to cluster2. */
    const specOf = (name: string, key: string) => ({
      clusterSelectors: [{ matchLabels: { [key]: '1' } }],
      downsync: [
        {
          resources: ['namespaces', 'deployments'],
          objectSelectors: [{ matchLabels: { app: name } }],
          ...(name === 's1' && { statusCollectors: ['replicas'] }),
        },
      ],
    });
    const label = (wec: string, labels: Record<string, string | null>) =>
      its1.patch(resources.managedClusters, wec, { metadata: { labels } });
    const toCollect = `collector create replicas --preset replicas ${at}`;

    before(async () => {
      await cli.type(toCollect);
      for (const [name, key] of [
        ['s1', 'a'],
        ['s2', 'b'],
      ] as const) {
        await wds1.create(resources.namespaces, { metadata: { name, labels: { app: name } } });
        await wds1.create(resources.deployments, web({ namespace: name, labels: { app: name } }));
        const spec = specOf(name, key);
        await wds1.create(resources.bindingPolicies, { metadata: { name }, spec } as AnyObject);
      }
      await label('cluster1', { a: '1' });
      await label('cluster2', { b: '1' });
      await until(async () => (await present()).length === 10, 'both Deployments');
      whole = await present();
    });

    after(async () => {
      for (const policy of ['s1', 's2']) await cli.type(`policy delete ${policy} --yes ${at}`);
    });

    const assertTakenBack = async (words: string, test: TestContext) => {
      const since = performance.now();
      const run = await cli.run(words.split(' '));
      test.diagnostic(`${Math.round(performance.now() - since)} ms\n${run.stderr}`);
      assert.equal(run.exitCode, 1, run.stderr);
      assert.match(run.stderr, /the controller manager of wds1 crashes/);
      assert.match(run.stderr, /The change was taken back; nothing has changed on any WEC/);
      assert.deepEqual(await present(), whole);
      assert.equal((await transport()).spec.replicas, 1);
    };

    it('label', (test) =>
      assertTakenBack(`label cluster2 a=1 --its its1 ${flags} --max-removed 9`, test));

    it('policy apply', async (test) => {
      const { apiVersion, kind } = shop;
      const [a, b] = [specOf('s1', 'a'), specOf('s1', 'b')];
      const clusterSelectors = [...a.clusterSelectors, ...b.clusterSelectors];
      const both = inFolder('s1.json');
      const spec = { ...a, clusterSelectors };
      writeFileSync(both, JSON.stringify({ apiVersion, kind, metadata: { name: 's1' }, spec }));
      await assertTakenBack(
        `policy apply -f ${both} ${at} --yes --allow-errors --max-removed 9`,
        test,
      );
    });
  },
);

it(
  'wec join: is tried with a WEC that is not accepted, and then carried out',
  inRelease,
  async () => {
    const before = await everywhere();
    const line = `wec join ${third} --accept --label env=prod --its its1`;
    const tried = await cli.run(`${line} --dry-run --rehearse`.split(' '));
    assert.equal(tried.exitCode, 0, tried.stderr);
    assert.equal(await its1.find(resources.managedClusters, third), undefined);
    const run = await cli.run(`${line} --rehearse`.split(' '));
    assert.equal(run.exitCode, 0, run.stderr);
    assert.match(run.stderr, /KubeStellar makes the Bindings that were foreseen/);
    assert.equal((await labelsOf(third))?.['stellarctl.kubestellar.io/rehearsal'], undefined);
    await until(async () => (await onWec(third)).length === 4, `workloads on ${third}`);
    assert.deepEqual(await everywhere(), before);
    await assertOver();
  },
);
