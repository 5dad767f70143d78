/** Ways in which a workload does not arrive: each is reported at once, and the suggested command, unchanged, lets it arrive. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type AnyObject,
  crd,
  faultyPods,
  type KubeObject,
  type ManagedCluster,
  type Plane,
  resources,
  runWds,
  until,
} from '../../../testbed/index.ts';
import { resourceOf } from '../support/golden/workload-acts.ts';
import type { Cli } from '../support/harness.ts';
import { inRelease, rowOptions } from '../support/in-release.ts';
import { deletePods } from '../support/registration.ts';
import { deployment, type Labels, type Scene, type Trap, traps } from '../support/trap-scenes.ts';
import { startWds, type WdsBed } from '../support/wds-bed.ts';
import { takeSteps, typeIn } from '../support/workload-traps.ts';

let all: WdsBed;
let bed: WdsBed['bed'];
let cli: Cli;
let wds1: Plane;
let sending: { stop(): void } | undefined;

const at = ['--wds', 'wds1', '--its', 'its1'];

before(async () => {
  all = await startWds(['w1', 'wds2'], {
    ...{ type: 'host', hasAddon: true, wecs: [] },
    contexts: ({ kubeconfigEntry: { connection } }) => [
      {
        ...{ context: 'nowhere', cluster: 'nowhere', user: 'nobody' },
        connection: { ...connection, server: 'https://127.0.0.1:1' },
      },
    ],
  });
  const { its1 } = all;
  ({ bed, cli, wds1 } = all);
  for (const definition of [widgets, gadgets])
    await wds1.admin.create(resources.customResourceDefinitions, definition);
  sending = await runWds(bed.plane('wds2'), its1, { objects: 2 });
  await cli.type('wec join w1 --its its1');
  await its1.admin.create<ManagedCluster>(resources.managedClusters, {
    metadata: { name: 'silent', labels: { silent: 'true', pair: 'true' } },
    spec: { hubAcceptsClient: true },
  });
  await its1.admin.patch(resources.managedClusters, 'w1', {
    metadata: { labels: { tier: 'web', pair: 'true' } },
  });
  // KubeStellar's controllers write its condition, independent of its policy.
  await wds1.admin.create<KubeObject & { spec: object }>(resources.statusCollectors, broken);
});

after(async () => {
  sending?.stop();
  await all?.stop();
});

const broken = {
  metadata: { name: 'broken' },
  spec: { select: [{ name: 'x', def: 'returned.status.(' }], limit: 20 },
};
const widgets = crd({ group: 'example.com', versions: ['v1'], kind: 'Widget' });
const gadgets = crd({ group: 'example.com', versions: ['v1', 'v2'], kind: 'Gadget' });

async function arrange({ name, wds = 'wds1', ...scene }: Scene) {
  const { admin } = bed.plane(wds);
  const own = { app: name };
  const {
    space = own,
    labels = own,
    annotations,
    data = { a: 'b' },
    objects = [],
    clusters = { tier: 'web' },
  } = scene;
  await admin.create(resources.namespaces, { metadata: { name, labels: space } });
  const metadata = { name: 'c', namespace: name, labels, ...(annotations && { annotations }) };
  await admin.create<KubeObject & { data: Labels }>(resources.configMaps, { metadata, data });
  for (const object of objects) {
    await admin.create(resourceOf(object), {
      ...object,
      metadata: { ...object.metadata, namespace: name, labels: own },
    });
  }
  const clause = scene.clause ?? { objectSelectors: [{ matchLabels: own }] };
  const spec = { clusterSelectors: [{ matchLabels: clusters }], downsync: [clause] };
  await admin.create<KubeObject & { spec: object }>(resources.bindingPolicies, {
    metadata: { name: scene.policy ?? name },
    spec,
  });
}

const done = (object: string, flags = at) =>
  until(async () => {
    const { json } = await cli.run([...`workload get ${object} -o json`.split(' '), ...flags]);
    return json().deliveries.every((way: { done: boolean }) => way.done);
  }, `${object} has arrived`);

const [unaccepted, ...others] = traps as [Trap, ...Trap[]];

/** In CI, one trap for each code that commands report. */
const known = new Set<string>();
const isNew = ({ steps, wds }: Trap) =>
  // The view of workloads needs what the other WDS sends.
  steps.filter(({ code }) => !known.has(code) && known.add(code)).length > 0 || wds === 'wds2';

describe('before a WEC is accepted, a trap', () => escapes([unaccepted]));
describe('a trap', { concurrency: 4 }, () => escapes(others));

function escapes(all: readonly Trap[]) {
  for (const { inCi, title, steps, arrives, ...scene } of all.map((trap) => ({
    ...trap,
    inCi: isNew(trap),
  })))
    it(title, rowOptions({ inCi }), async (test) => {
      await arrange(scene);
      const { name, wds = 'wds1' } = scene;
      const flags = ['--wds', wds, '--its', 'its1'];
      const taken = await takeSteps(cli, steps, flags);
      if (arrives !== false) await done(arrives ?? `cm/c -n ${name}`, flags);
      const rows = taken.map(({ seconds, typed }, index) => {
        const { ask = '', code } = steps[index] ?? {};
        const by = ask.split(' ').slice(0, 2).join(' ');
        return `${title} | ${by}: ${code} | ${seconds.toFixed(1)} s | ${typed} | ${arrives === false ? 'a person' : 'arrives'}`;
      });
      for (const row of rows) test.diagnostic(row);
    });
}

describe('an object that the WEC has with a field that cannot change', { concurrency: 2 }, () => {
  /** Has it on w1 first, and sends another version of it. @returns the steps that are printed */
  async function stepsFor(name: string, object: AnyObject, sent: object) {
    const { admin } = bed.plane('w1');
    await admin.create(resources.namespaces, { metadata: { name } });
    const metadata = { ...object.metadata, namespace: name };
    await admin.create(resourceOf(object), { ...object, metadata });
    await arrange({
      name,
      objects: [{ ...object, spec: { ...(object.spec as object), ...sent } }],
    });
    const line = `workload get ${object.kind}/${object.metadata.name} -n ${name} -o json --wds wds1 --its its1`;
    let seen = '';
    return until(async () => {
      seen = (await cli.run(line.split(' '))).stdout;
      const [{ code, steps }] = JSON.parse(seen).deliveries;
      return code === 'immutable-on-wec' ? steps : undefined;
    }, 'the refusal').catch(() => assert.fail(seen));
  }

  it('of a PersistentVolumeClaim, no step deletes it', async () => {
    const resources = { requests: { storage: '1Gi' } };
    const spec = { accessModes: ['ReadWriteOnce'], resources, storageClassName: 'slow' };
    const claim = {
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' } },
      spec,
    };
    const steps = await stepsFor('claimed', claim, { storageClassName: 'fast' });
    assert.deepEqual(steps, [
      'See what is there: kubectl --context w1 -n claimed get persistentvolumeclaims data -o yaml',
      'Change the object back, or send it by another name: a deletion would take its data',
      'Once that is resolved, the agent retries by itself within 17 minutes',
    ]);
  });

  it('of a StatefulSet, the step replaces it, and its pods keep running', async () => {
    const set = { ...deployment('db', {}), kind: 'StatefulSet' };
    const [, replace = ''] = await stepsFor('db', set, { serviceName: 'web' });
    const pod = () => bed.plane('w1').admin.find(resources.pods, 'db/web-0');
    const before = await until(pod, 'its pod');
    assert.match(
      replace,
      /it there: .* kubectl --context w1 -n db delete statefulsets\.apps web --cascade=orphan$/,
    );
    await typeIn(cli, replace.replace(/^.*: (?=kubectl)/, ''));
    await done('statefulset/web -n db');
    assert.equal((await pod())?.metadata.uid, before.metadata.uid);
  });
});

describe('the view of workloads', () => {
  const image = 'example.com/nowhere:1';
  for (const [name, fault, words] of [
    [
      'unpulled',
      { kind: 'unpullable', image },
      /pod web-\S+, container c: the image example\.com\/nowhere:1 cannot be pulled/,
    ],
    [
      'unplaced',
      { kind: 'unschedulable', plane: 'w1', pod: 'unplaced/' },
      /pod web-\S+ cannot be scheduled: 0\/1 nodes/,
    ],
  ] as const)
    it(`says why pods of a WEC do not run, where its context is proven: ${name}`, async () => {
      const mend = await bed.fault(fault);
      await arrange({ name, objects: [deployment(name, {}, image)] });
      const line = ['workload', 'get', 'deployment/web', '-n', name, ...at];
      const { stderr, stdout } = await until(async () => {
        const run = await cli.run(line);
        return words.test(run.stdout) ? run : undefined;
      }, 'the words of the kubelet, or of the scheduler');
      assert.match(stdout, /Change the object itself in wds1/);
      assert.match(stderr, new RegExp(`kubectl --context w1 -n ${name} describe pod web-`));
      await mend();
    });

  it('says why the agent of a WEC does not answer', inRelease, async () => {
    const mend = await bed.fault({ kind: 'crashing', plane: 'w1', pod: faultyPods.agents });
    await arrange({ name: 'unanswered' });
    await until(async () => {
      const { stdout } = await cli.run(['workload', 'get', 'cm/c', '-n', 'unanswered', ...at]);
      return /the agent of w1 has not answered.*: pod klusterlet-\S+, container \S+: it keeps crashing/.test(
        stdout,
      );
    }, 'the crash of the agent');
    await mend();
    await done('cm/c -n unanswered');
  });

  it('waits for the status of the present version', async () => {
    const clause = {
      objectSelectors: [{ matchLabels: { app: 'versioned' } }],
      wantSingletonReportedState: true,
    };
    const widget = {
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'w' },
      spec: { size: 1 },
    };
    const object = 'widget/w -n versioned';
    const kind = { apiVersion: widget.apiVersion, kind: widget.kind, plural: 'widgets' };
    // A controller of the WEC that has observed a version.
    const observe = (observedGeneration: number) =>
      until(async () => {
        const body = { status: { observedGeneration } };
        const { admin } = bed.plane('w1');
        return admin
          .patch(kind, 'versioned/w', body, { subresource: 'status' })
          .catch(() => undefined);
      }, 'the widget on w1');
    await arrange({ name: 'versioned', clause, objects: [widget] });
    await observe(1);
    await done(object);
    await wds1.admin.patch(kind, 'versioned/w', { spec: { size: 2 } });
    await until(async () => {
      const { stdout } = await cli.run(['workload', 'get', ...object.split(' '), ...at]);
      return stdout.includes('the status that w1 has returned is of an earlier version');
    }, 'the status of the earlier version');
    await observe(2);
    await done(object);
  });

  it('says why the status agent of a WEC does not run', inRelease, async () => {
    const mend = await bed.fault({
      kind: 'failing',
      image: 'ocm-status-addon',
      log: ['cannot list works'],
    });
    await deletePods(bed.plane('w1'), 'open-cluster-management-agent-addon');
    const clause = {
      objectSelectors: [{ matchLabels: { app: 'unreported' } }],
      wantSingletonReportedState: true,
    };
    await arrange({ name: 'unreported', clause, objects: [deployment('unreported', {})] });
    const { stdout } = await until(async () => {
      const run = await cli.run(['workload', 'get', 'deployment/web', '-n', 'unreported', ...at]);
      return run.stdout.includes('it keeps crashing') ? run : undefined;
    }, 'the crash of the status agent');
    assert.match(
      stdout,
      /w1 has returned no status for it.*: pod status-agent-\S+, container status-agent: it keeps/,
    );
    await mend();
    await done('deployment/web -n unreported');
  });

  const view = async (ask: string, flags: readonly string[]) =>
    (await cli.succeed([...ask.split(' '), '-o', 'json', ...flags])).json();

  it('covers one WDS if two have policies of one name', async () => {
    await arrange({ name: 'shop' });
    await done('cm/c -n shop');
    const both = await Promise.all(
      ['wds1', 'wds2'].map((wds) => view('policy get shop', ['--wds', wds, '--its', 'its1'])),
    );
    // Its Namespace has the label in one of them only after the command ran.
    for (const { wecs, objects } of both)
      assert.deepEqual(
        [wecs, objects.map(({ name }: { name: string }) => name).sort()],
        [['w1'], ['c', 'shop']],
      );
  });

  it('of a WDS that is the hosting cluster sends nothing of the cluster itself', async () => {
    const { admin } = bed.plane('wds2');
    const group = 'tenancy.kflex.kubestellar.org';
    const kind = { group, versions: ['v1alpha1'], kind: 'ControlPlane', scope: 'Cluster' } as const;
    await admin.create(
      resources.customResourceDefinitions,
      crd({ ...kind, versions: [...kind.versions] }),
    );
    const wds2 = {
      metadata: { name: 'wds2', labels: { 'kflex.kubestellar.io/cptype': 'wds' } },
      spec: { type: 'host' },
    };
    const create = () => admin.create<KubeObject & { spec: object }>(resources.controlPlanes, wds2);
    await until(() => create().catch(() => undefined), 'ControlPlane');
    const at = '--wds wds2 --its its1 --hosting-context wds2'.split(' ');
    const policy = ['policy', 'create', 'all', '--clusters', '', '-n', 'kube-system'];
    const { exitCode, stderr } = await cli.run([...policy, ...at]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /wds2 is the hosting cluster itself.*Nothing was written/);
    assert.equal(await admin.find(resources.bindingPolicies, 'all'), undefined);
  });
});
