/** `status` on one installation that grows, in the order of the tests. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AnyObject,
  type Bed,
  demoManifests,
  installKubeStellar,
  limitedUser,
  type Plane,
  resources,
  startBed,
  until,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { setImage } from '../support/images.ts';
import { assertUnwritten } from '../support/refusal.ts';
import { ctrlC, shown } from '../support/screen.ts';

let bed: Bed;
let cli: Cli;
let hosting: Plane;

before(async () => {
  bed = await startBed({
    planes: [{ name: 'hosting' }, { name: 'cluster1' }, { name: 'ext', hub: true }],
  });
  hosting = bed.plane('hosting');
  cli = await Cli.create(bed.kubeconfig);
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

const tree = async (line: string[] = []): Promise<string[]> =>
  (await cli.succeed(['status', ...line])).stdout.split('\n').slice(0, -1);

/** A binding policy of wds1 that selects a namespace and a ConfigMap, but no cluster. */
async function bindDemo(): Promise<void> {
  const [namespace, configMap] = demoManifests() as [AnyObject, AnyObject];
  await hosting.admin.ensure(resources.namespaces, namespace);
  await hosting.admin.ensure(resources.configMaps, configMap);
  const downsync = [{ objectSelectors: [{ matchLabels: { app: 'demo' } }] }];
  const policy = {
    metadata: { name: 'demo' },
    spec: { clusterSelectors: [{ matchLabels: { env: 'none' } }], downsync },
  };
  await hosting.admin.ensure<AnyObject>(resources.bindingPolicies, policy);
}

interface RunningVersion {
  component: string;
  running: string[] | null;
  wanted: { version: string; by: string } | null;
  differs: boolean;
}

const unwanted = { wanted: null, differs: false };
const hooks = (version: string) => ({ version, by: 'installed hooks' });
const hubComponents = [
  'cluster-manager',
  'cluster-manager-registration-controller',
  'cluster-manager-registration-webhook',
  'cluster-manager-placement-controller',
  'cluster-manager-work-webhook',
  'cluster-manager-addon-manager-controller',
];

/** A change that a watch must notice after its first read. */
async function registerLater(name: string): Promise<void> {
  await sleep(4000);
  await hosting.admin.create<AnyObject>(resources.managedClusters, { metadata: { name }, spec: {} });
}

describe('an installation', { concurrency: 1 }, () => {
  before(() => installKubeStellar(hosting));

  it('is one tree: ITSes with their WECs, WDSes with what they send', async () => {
    await cli.succeed(['its', 'create', 'its1', '--type', 'host']);
    await cli.succeed(['wds', 'create', 'wds1', '--type', 'host']);
    await cli.succeed(['wec', 'join', 'cluster1', '--accept', '--its', 'its1']);
    await bindDemo();
    await until(async () => (await tree()).some((line) => /selects no WEC$/.test(line)), 'binding');
    await hosting.markAudit();
    assert.deepEqual(await tree(), [
      'hosting         KubeFlex 0.9.3 · KubeStellar hooks 0.30.0',
      '├─ ITS its1     host · ready · OCM 1.0.0',
      '│  └─ cluster1  available',
      '└─ WDS wds1     host · ready → its1 · KubeStellar 0.30.0 · 1 binding policy, 2 objects · no guard · ✗ policy demo: selects no WEC',
    ]);
    await assertUnwritten([hosting]);
    assert.deepEqual(await tree(['-o', 'name']), ['its/its1', 'wec/cluster1', 'wds/wds1']);
  });

  it('has documented fields', async () => {
    const { hosting: root, itses, wdses } = (await cli.succeed(['status', '-o', 'json'])).json();
    const [{ created, wecs, versions: ofIts, ...its }] = itses;
    const [{ created: _, versions: ofWds, ...wds }] = wdses;
    const { server } = hosting;
    const well = { ready: true, stage: 'ready', blockedAt: null, problem: false, reason: '', server };
    const manager = { product: 'KubeFlex', component: 'kubeflex-controller-manager', running: ['0.9.3'] };
    const versions = { kubeflexVersion: '0.9.3', hooksVersion: '0.30.0', versions: [{ ...manager, ...unwanted }] };
    assert.deepEqual(root, { name: 'hosting', server, ...versions, problem: false, reason: '' });
    assert.deepEqual(
      ofIts.map(({ component, running, wanted, differs }: RunningVersion) => [component, running, wanted, differs]),
      [
        ...hubComponents.map((name) => [name, ['1.0.0'], hooks('1.0'), false]),
        ['addon-status-controller', ['0.2.0-rc17'], hooks('0.2.0-rc17'), false],
      ],
    );
    assert.deepEqual(
      ofWds,
      ['kubestellar-controller-manager', 'transport-controller'].map((component) => ({
        ...{ product: 'KubeStellar', component, running: ['0.30.0'], wanted: hooks('0.30.0'), differs: false },
      })),
    );
    const webhook = { answers: true, why: '', next: null };
    assert.deepEqual(its, { name: 'its1', type: 'host', ...well, context: 'its1', ocmVersion: '1.0.0', webhook });
    assert.match(created, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const available = { available: true, stage: 'available', blockedAt: null, state: 'available' };
    const labels = { 'cluster.open-cluster-management.io/clusterset': 'default' };
    assert.deepEqual(wecs, [
      { name: 'cluster1', ...available, problem: false, reason: '', pending: false, labels, workloads: [] },
    ]);
    const failedPolicies = [{ name: 'demo', why: 'selects no WEC' }];
    const sent = { its: 'its1', bindingPolicies: 1, failedPolicies, objects: 2, guarded: false, problems: [] };
    assert.deepEqual(wds, { name: 'wds1', type: 'host', ...well, context: 'wds1', ...sent });
  });

  it('shows running versions, not those of a template', async () => {
    const setTag = (tag: string) =>
      setImage(hosting, 'wds1-system/transport-controller', 'ocm-transport-controller', tag);
    await setTag('0.29.0');
    const wds = async () => (await tree()).find((line) => line.includes('WDS wds1')) ?? '';
    const apart = /KubeStellar running 0\.30\.0 \(transport-controller 0\.29\.0\), installed hooks 0\.30\.0 ·/;
    await until(async () => apart.test(await wds()), 'the older transport');
    // A template whose pods never run says nothing about running versions.
    await setTag('missing');
    await until(
      async () =>
        /missing/.test(JSON.stringify(await hosting.admin.list(resources.pods, { namespace: 'wds1-system' }))),
      'a pod of the template',
    );
    assert.match(await wds(), apart);
    await setTag('0.30.0');
    await until(async () => / KubeStellar 0\.30\.0 ·/.test(await wds()), 'the transport of before');
  });

  it('shows what a user with few permissions may see', async () => {
    const rules = [{ apiGroups: ['tenancy.kflex.kubestellar.org'], resources: ['*'], verbs: ['get', 'list'] }];
    const kubeconfig = await writeKubeconfig(hosting, [await limitedUser(hosting, { user: 'guest', rules })]);
    const { stdout } = await cli.succeed(['status'], { kubeconfig });
    assert.match(stdout, /^hosting +KubeFlex not visible: not allowed to read pods · KubeStellar hooks 0\.30\.0$/m);
    assert.match(stdout, /^├─ ITS its1 +host · ready · \? Not allowed on its1 \(https:\S+\): .* cannot list/m);
    assert.match(stdout, /^└─ WDS wds1 +host · ready → its1 · \? Not allowed on wds1 /m);
    assert.doesNotMatch(stdout, /✗|elsewhere/);
  });

  it('shows a chosen ITS that belongs to no hosting cluster, and no ITS twice', async () => {
    const lines = await tree(['--its', 'ext']);
    assert.match(lines[3] ?? '', /^├─ ITS ext +elsewhere · ready · OCM 1\.0\.0 · no WECs yet$/);
    for (const own of ['its1', 'hosting'])
      assert.equal((await tree(['--its', own])).filter((line) => line.includes('ITS')).length, 1, own);
    const gone = await cli.succeed(['status'], { env: { STELLARCTL_ITS: 'gone' } });
    assert.match(gone.stdout, /^├─ ITS gone +elsewhere · ✗ There is no context "gone"/m);
    assert.equal((await cli.run(['status', '--its', 'gone'])).exitCode, 2);
  });

  it('shows quickly that an ITS does not answer, and shows the rest', async () => {
    await cli.succeed(['its', 'create', 'its2', '--type', 'external', '--bootstrap-context', 'ext', '--no-ocm']);
    assert.match((await tree())[3] ?? '', /^├─ ITS its2 +external · ready · OCM 1\.0\.0 · no WECs yet$/);
    const mend = await bed.fault({ kind: 'stopped', plane: 'ext' });
    try {
      const started = Date.now();
      const run = await cli.succeed(['status']);
      assert.ok(Date.now() - started < 25_000, `it took ${Date.now() - started} ms`);
      assert.match(run.stdout, /^├─ ITS its2 +external · ✗ Cannot reach its2 \(https:\S+\): connection refused$/m);
      assert.match(run.stdout, /^│ {2}└─ cluster1 +available$/m);
      assert.match(run.stderr, /^Next: stellarctl its get its2$/m);
      const { itses } = (await cli.succeed(['status', '-o', 'json'])).json();
      const { ready, problem, wecs, error } = itses[1];
      assert.deepEqual(
        { ready, problem, wecs, code: error.code },
        { ready: false, problem: true, wecs: null, code: 'unreachable' },
      );
    } finally {
      await mend();
    }
  });

  it('is printed again in a pipe only after a change', async () => {
    const registered = /cluster9/;
    const run = await cli.run(['status', '--watch'], {
      whenPrinted: { text: /WDS wds1/, act: () => registerLater('cluster9') },
      signalAt: { text: registered, signal: 'SIGINT' },
    });
    assert.equal(run.exitCode, 130);
    const [first, second, ...more] = run.stdout.split('\n\n');
    assert.doesNotMatch(first ?? '', registered);
    assert.match(second ?? '', /^│ {2}└─ cluster9 +/m);
    assert.deepEqual(more, []);
  });

  it('is redrawn in place on a terminal', async () => {
    const { screen, exitCode } = await cli.runOnTerminal(['status', '--watch'], {
      whenPrinted: { text: /WDS wds1/, act: () => registerLater('cluster8') },
      answers: [{ at: /cluster8/, type: async () => ctrlC }],
    });
    assert.equal(exitCode, 130, screen);
    assert.ok(screen.split('WDS wds1').length > 2, 'it was drawn more than once');
    const lines = shown(screen);
    assert.equal(lines.filter((line) => line.includes('WDS wds1')).length, 1);
    assert.equal(lines.filter((line) => line.includes('cluster8')).length, 1);
  });
});
