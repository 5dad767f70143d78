/** Labels and properties that workload templates expand, in the order of the tests. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AnyObject, type ManifestWork, type Plane, resources, until } from '../../../testbed/index.ts';
import { assertRefuses, assertUnwritten, markAll } from '../support/refusal.ts';
import { shown } from '../support/screen.ts';
import { changedKubeconfig, type HostingBed, type SpaceCli, startHosting, untilReady } from '../support/spaces.ts';

let all: HostingBed;
let cli: SpaceCli;
let hosting: Plane;
let planes: Plane[];

const expand = { 'control.kubestellar.io/expand-templates': 'true' };

/** A namespace with a template ConfigMap, which the policy sends to all clusters with tier=edge. */
async function bindTemplate(name: string, text: string): Promise<void> {
  const labels = { app: 'regional' };
  const { admin } = hosting;
  await admin.ensure(resources.namespaces, { metadata: { name: 'regional', labels } });
  const metadata = { name, namespace: 'regional', labels, annotations: expand };
  await admin.ensure<AnyObject>(resources.configMaps, { metadata, data: { a: text } });
  await admin.ensure<AnyObject>(resources.bindingPolicies, {
    metadata: { name: 'regional' },
    spec: {
      clusterSelectors: [{ matchLabels: { tier: 'edge' } }],
      downsync: [{ resources: ['namespaces', 'configmaps'], objectSelectors: [{ matchLabels: labels }] }],
    },
  });
  await until(async () => {
    const works = await Promise.all(['cluster1', 'cluster2'].map(worksOf));
    return works.every((found) => manifestNames(found).includes(name));
  }, `works of ${name}`);
}

const worksOf = async (namespace: string): Promise<ManifestWork[]> =>
  (await hosting.admin.list<ManifestWork>(resources.manifestWorks, { namespace })).items;

const regionalWorks = async (wec: string): Promise<ManifestWork[]> =>
  (await worksOf(wec)).filter(({ metadata }) => Object.values(metadata.labels ?? {}).includes('regional'));

const workUids = async (wec: string): Promise<string[]> =>
  (await regionalWorks(wec)).map(({ metadata }) => `${metadata.name} ${metadata.uid}`).sort();

/** KubeStellar's controllers have processed a change of a ManagedCluster. */
const settled = () => sleep(3000);

const manifestNames = (works: ManifestWork[]): string[] =>
  works.flatMap(({ spec }) => ((spec?.workload?.manifests ?? []) as AnyObject[]).map(({ metadata }) => metadata.name));

const labelsOf = async (wec: string): Promise<Record<string, string>> =>
  (await hosting.admin.get<AnyObject>(resources.managedClusters, wec)).metadata.labels ?? {};

before(async () => {
  const values = { ITSes: [{ name: 'its1', type: 'host' }], WDSes: [{ name: 'wds1', type: 'host' }] };
  all = await startHosting([{ name: 'cluster1' }, { name: 'cluster2' }], { values });
  ({ cli, hosting } = all);
  planes = [hosting, ...['cluster1', 'cluster2'].map((name) => all.bed.plane(name))];
  for (const space of ['its1', 'wds1']) await untilReady(hosting, space);
  await cli.type('wec join cluster1 cluster2 --its hosting --accept --label tier=edge --label region=eu');
  await bindTemplate('area', 'In {{ .region }}');
});

after(() => all?.stop());

const breaks = 'configmaps regional/area of regional (wds1) expands region, which cluster1 would lose';

describe('a label that a template expands', { concurrency: 1 }, () => {
  it('is not removed in a pipe without --yes: the object, the policy and the other WECs are named', async () => {
    const run = await assertRefuses(cli, planes, 'label cluster1 region- --its hosting', {
      exitCode: 1,
      says: /Changing region needs confirmation, and stdin is not a terminal/,
      hint: /stellarctl label cluster1 region- --its hosting --yes$/m,
    });
    const expected = `${breaks}: its policy's works are deleted on cluster1, cluster2`;
    assert.ok(run.stderr.includes(expected), run.stderr);
    const json = await cli.run('label cluster1 region- --its hosting -o json'.split(' '));
    assert.deepEqual([json.json().error.code, json.json().error.details], ['not-confirmed', [expected]]);
  });

  it('takes away the works of other WECs for a moment, even if the WEC leaves the policy by the same change', async () => {
    const run = await cli.run('label cluster1 region- tier- --its hosting'.split(' '));
    assert.equal(run.exitCode, 1);
    assert.ok(run.stderr.includes(breaks), run.stderr);
  });

  it('is named in a dry run, which writes nothing', async () => {
    await markAll(planes);
    const run = await cli.type('label cluster1 region- --its hosting --dry-run');
    assert.match(run.stdout, /would patch ManagedCluster cluster1/);
    assert.ok(run.stderr.includes(breaks), run.stderr);
    await assertUnwritten(planes);
  });

  it('is removed without a prompt if all WECs leave the policy, or no template uses it', async () => {
    const { stderr } = await cli.type('label cluster1 cluster2 region- tier- --its hosting --dry-run');
    assert.doesNotMatch(stderr, /expands/);
    await cli.type('label cluster1 note=x --its hosting');
    assert.doesNotMatch((await cli.type('label cluster1 note- --its hosting')).stderr, /expands/);
  });

  it('is removed if a property of the same key remains, for which stellarctl then prompts', async () => {
    await cli.type('wec properties cluster1 region=eu --its hosting');
    const before = await workUids('cluster2');
    assert.equal((await cli.type('label cluster1 region- --its hosting')).stdout, 'cluster1: labelled\n');
    await settled();
    assert.deepEqual(await workUids('cluster2'), before, 'no work of another WEC is made anew');
    await assertRefuses(cli, planes, 'wec properties cluster1 region- --its hosting', {
      exitCode: 1,
      says: /Changing region needs confirmation/,
      hint: /stellarctl wec properties cluster1 region- --its hosting --yes/,
    });
    await cli.type('label cluster1 region=eu --its hosting');
    assert.equal(
      (await cli.type('wec properties cluster1 region- --its hosting')).stdout,
      'cluster1: properties changed\n',
    );
  });
});

describe('on a terminal', { concurrency: 1 }, () => {
  const question = /Change region\? Type its name to confirm: /;
  const line = 'label cluster1 region- --its hosting'.split(' ');

  it('stays unless the user types the name', async () => {
    const answers = [{ at: question, type: async () => 'no' }];
    await markAll(planes);
    const { exitCode, screen } = await cli.runOnTerminal(line, { answers });
    assert.equal(exitCode, 1, screen);
    assert.ok(shown(screen).join(' ').includes(breaks), screen);
    assert.match(screen, /Not confirmed; region is unchanged/);
    await assertUnwritten(planes);
  });

  it('is prompted for again if more would be lost after the answer, and then removed', async () => {
    const more = async () => {
      await bindTemplate('zone', '{{.clusterName}} {{.region}}');
      return 'region';
    };
    const { exitCode, screen } = await cli.runOnTerminal(line, {
      answers: [
        { at: question, type: more },
        { at: question, type: async () => 'region' },
      ],
    });
    assert.equal(exitCode, 0, screen);
    const [first = '', second = ''] = screen.split('Type its name').slice(0, 2);
    assert.doesNotMatch(first, /regional\/zone/);
    assert.match(second, /regional\/zone/);
    assert.equal((await labelsOf('cluster1')).region, undefined);
    await cli.type('label cluster1 region=eu --its hosting');
  });
});

describe('a removal', { concurrency: 1 }, () => {
  it('reports a policy that starts to select a WEC', async () => {
    const doesNotExist = { matchExpressions: [{ key: 'hold', operator: 'DoesNotExist' }] };
    await cli.type('label cluster1 cluster2 hold=yes --its hosting');
    await hosting.admin.ensure<AnyObject>(resources.bindingPolicies, {
      metadata: { name: 'unless-held' },
      spec: { clusterSelectors: [doesNotExist], downsync: [{ objectSelectors: [{ matchLabels: { app: 'none' } }] }] },
    });
    const { stderr } = await cli.type('label cluster1 hold- --its hosting');
    assert.match(stderr, /^The binding policy unless-held \(wds1\) will start selecting cluster1\.$/m);
  });

  it('that breaks a template succeeds with --yes, and reports its effect', async () => {
    const { stdout, stderr } = await cli.type('label cluster1 region- --yes --its hosting');
    assert.equal(stdout, 'cluster1: labelled\n');
    assert.ok(stderr.includes(breaks), stderr);
    assert.equal((await labelsOf('cluster1')).region, undefined);
    const isGone = async () => (await regionalWorks('cluster2')).length === 0;
    await until(isGone, 'deletion of the works of cluster2, as was said');
    await cli.type('label cluster1 region=eu --its hosting');
    await until(async () => !(await isGone()), 'works again');
  });

  it('is checked without the hosting cluster if a context leads to the WDS that works name', async () => {
    const line = 'label cluster2 region- --its hosting --hosting-context cluster1 --dry-run';
    const kubeconfig = await changedKubeconfig(all.bed, 'with-wds', ({ contexts }) => {
      const { context } = contexts.find(({ name }) => name === 'hosting') ?? assert.fail();
      contexts.push({ name: 'wds1', context });
    });
    assert.match((await cli.type(line, { kubeconfig })).stderr, /regional\/area of regional \(wds1\) expands region/);
    const namesake = await changedKubeconfig(all.bed, 'with-namesake', ({ contexts }) => {
      const { context } = contexts.find(({ name }) => name === 'cluster2') ?? assert.fail();
      contexts.push({ name: 'wds1', context });
    });
    const unread = (await cli.type(line, { kubeconfig: namesake })).stderr;
    assert.match(
      unread,
      /^The binding policies of wds1 could not be read, .*wds1 \(\S+\) does not serve (bindingpolicies|bindings)\./m,
    );
    assert.match((await cli.type(line)).stderr, /policies of wds1 could not be read, .*no context of the kubeconfig/);
  });

  it('is refused without a terminal, also with --yes, if a binding policy could not be read', async () => {
    const line = 'label cluster2 hold- --its hosting --hosting-context cluster9';
    for (const more of ['', ' --yes']) {
      const { exitCode, stderr } = await cli.run(`${line}${more}`.split(' '));
      assert.equal(exitCode, 4);
      assert.match(stderr, /^The binding policies of all WDSes could not be read, .*cluster9/m);
      assert.match(stderr, /It is unknown what WECs would lose: the binding policies of all WDSes could not be read/);
    }
    await cli.type(`${line} --dry-run`);
  });
});
