import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type Bed,
  type KubeObject,
  type Plane,
  type RunningWds,
  resources,
  runWds,
  startBed,
  until,
  untilApplied,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { assertAvailable, contextsOf } from '../support/registration.ts';
import { typeIn } from '../support/workload-traps.ts';

let bed: Bed;
let cli: Cli;
let its1: Plane;
let wds1: Plane;
let controllers: RunningWds;

const labels = { app: 'shop' };
const spec = {
  clusterSelectors: [{ matchLabels: { tier: 'web' } }],
  downsync: [{ objectSelectors: [{ matchLabels: labels }] }],
};

before(async () => {
  bed = await startBed({ planes: [{ name: 'its1', hub: true }, { name: 'w1' }, { name: 'wds1' }] });
  [its1, wds1] = [bed.plane('its1'), bed.plane('wds1')];
  cli = await Cli.create(await contextsOf(its1, wds1, bed.plane('w1')));
  controllers = await runWds(wds1, its1);
  await cli.succeed(['wec', 'join', 'w1', '--its', 'its1', '--accept', '--label', 'tier=web']);
  await assertAvailable(its1, 'w1');
  await wds1.admin.create(resources.namespaces, { metadata: { name: 'shop' } } as never);
  await wds1.admin.create(resources.configMaps, {
    metadata: { name: 'settings', namespace: 'shop', labels },
    data: { a: 'b' },
  } as never);
});

after(async () => {
  controllers?.stop();
  await cli?.remove();
  await bed?.stop();
});

const at = ['--wds', 'wds1', '--its', 'its1'];

describe('a binding policy', () => {
  it('is explained from a file before it is applied', async () => {
    const policy = {
      apiVersion: 'control.kubestellar.io/v1alpha1',
      kind: 'BindingPolicy',
      metadata: { name: 'shop' },
      spec,
    };
    const { stdout } = await cli.succeed(['policy', 'explain', '-f', '-', '-o', 'json', ...at], {
      input: JSON.stringify(policy),
    });
    const view = JSON.parse(stdout);
    assert.deepEqual(
      [
        view.exists,
        view.wecs.map(({ name }: { name: string }) => name),
        view.objects.map(({ name }: { name: string }) => name),
      ],
      [false, ['w1'], ['settings']],
    );
    assert.deepEqual(
      view.problems.map(({ code, next }: { code: string; next: string }) => [code, next]),
      [['namespace-not-selected', 'kubectl --context wds1 label namespace shop app=shop']],
    );
  });

  it('shows what the WEC has rejected, with the command that helps', async () => {
    await wds1.admin.create(resources.bindingPolicies, { metadata: { name: 'shop' }, spec } as never);
    const blocked = async () => {
      const { stdout } = await cli.succeed(['workload', 'get', 'cm/settings', '-n', 'shop', '-o', 'json', ...at]);
      const [way] = JSON.parse(stdout).deliveries;
      return way.code === 'namespace-missing-on-wec' ? way : undefined;
    };
    const way = await until(blocked, 'refusal by the WEC');
    assert.equal(way.next, 'kubectl --context wds1 label namespace shop app=shop');
    const { stdout } = await cli.succeed(['policy', 'get', 'shop', ...at]);
    assert.match(stdout, /✗ ConfigMap shop\/settings +failed at applied/);
    assert.match(stdout, /namespaces "shop" not found \(began .* ago\) \(w1\)/);
  });

  it('shows that everything has arrived', async () => {
    await wds1.admin.patch(resources.namespaces, 'shop', { metadata: { labels } });
    const wait = await cli.succeed(['workload', 'wait', 'cm/settings', '-n', 'shop', ...at]);
    assert.match(wait.stdout, /cm\/settings.*available on w1/);
    await untilApplied(its1, 'w1', 2);
    const { stdout } = await cli.succeed(['policy', 'get', 'shop', ...at]);
    assert.match(stdout, /✓ Namespace shop +available/);
    assert.match(stdout, /✓ ConfigMap shop\/settings +available/);
    const list = await cli.succeed(['policy', 'list', ...at]);
    assert.match(list.stdout, /^shop +1 +2 +2\/2 +ok$/m);
    const workloads = await cli.succeed(['workload', 'list', ...at]);
    assert.match(workloads.stdout, /^ConfigMap shop\/settings +1 +1 +1 +0$/m);
    const wide = await cli.succeed(['workload', 'get', 'configmap/settings', '-n', 'shop', '-o', 'wide', ...at]);
    assert.equal(wide.stdout.match(/✓/g)?.length, 9);
  });

  it('shows works that were written before a transform, until the suggested command is run', async () => {
    const get = async () => (await cli.succeed(['policy', 'get', 'shop', '-o', 'json', ...at])).json();
    const codes = async () => {
      const { objects } = await get();
      return objects.flatMap(({ name, deliveries }: { name: string; deliveries: { code: string | null }[] }) =>
        deliveries.flatMap(({ code }) => (code === null ? [] : [`${name} ${code}`])),
      );
    };
    const isDone = () => until(async () => (await codes()).length === 0, 'every object has arrived');
    await cli.succeed([
      'transform',
      'create',
      'no-data',
      '--select',
      'configmaps',
      '--remove',
      '$.data',
      '--wds',
      'wds1',
    ]);
    const list = await cli.succeed(['transform', 'list', '--wds', 'wds1']);
    assert.match(list.stdout, /no-data +configmaps +\$\.data +removes all of \$\.data$/m);
    assert.deepEqual(await codes(), ['settings work-stale']);
    assert.equal((await get()).state, 'failed');
    const { objects } = await get();
    const stale = objects.find(({ name }: { name: string }) => name === 'settings').deliveries[0];
    assert.match(stale.blockedAt.why, /CustomTransform no-data has changed since it was written$/);
    await typeIn(cli, stale.next);
    await isDone();
    const table = await cli.succeed(['policy', 'get', 'shop', ...at]);
    assert.match(table.stdout, /CustomTransform no-data removes from the configmaps that are sent: \$\.data/);
    await cli.succeed(['transform', 'delete', 'no-data', '--wds', 'wds1']);
    await cli.succeed(['policy', 'refresh', 'shop', ...at]);
    await isDone();
  });

  it('leads to the webhook of the ITS that keeps works out', async () => {
    const name = 'works.example.com';
    const hook = {
      ...{ name, sideEffects: 'None', admissionReviewVersions: ['v1'], timeoutSeconds: 1 },
      clientConfig: { url: 'https://127.0.0.1:1/' },
      rules: [
        {
          apiGroups: ['work.open-cluster-management.io'],
          apiVersions: ['v1'],
          operations: ['*'],
          resources: ['manifestworks'],
        },
      ],
    };
    await its1.admin.create(resources.validatingWebhooks, { metadata: { name }, webhooks: [hook] } as never);
    await wds1.admin.create(resources.configMaps, { metadata: { name: 'late', namespace: 'shop', labels } });
    const get = async () => {
      const { stdout } = await cli.run(['workload', 'get', 'cm/late', '-n', 'shop', '-o', 'json', ...at]);
      return JSON.parse(stdout).deliveries[0];
    };
    const late = await until(
      async () => ((await get()).blockedAt?.state === 'failed' ? get() : undefined),
      'a late work',
    );
    assert.deepEqual([late.code, late.next], ['work-missing', 'stellarctl doctor --its its1']);
    const doctor = await cli.run(['doctor', '--its', 'its1', '-o', 'json']);
    const finding = doctor.json().items.find(({ id }: { id: string }) => id === 'its-admits-works');
    assert.deepEqual([doctor.exitCode, finding.status, finding.code], [1, 'fail', 'works-not-admitted']);
    await typeIn(cli, finding.command).finally(() => its1.admin.delete(resources.validatingWebhooks, name));
    await until(async () => (await get()).done, 'the work is written');
    await wds1.admin.delete(resources.configMaps, 'shop/late');
    await untilApplied(its1, 'w1', 3);
  });

  it('is the same through a context of another name, which its works do not carry', async () => {
    const entries = [its1.kubeconfigEntry, { ...wds1.kubeconfigEntry, context: 'admin@wds1' }];
    const kubeconfig = await writeKubeconfig(its1, entries);
    const other = (...command: string[]) =>
      cli.succeed([...command, '--wds', 'admin@wds1', '--its', 'its1', '-o', 'json'], { kubeconfig });
    assert.equal((await other('policy', 'list')).json().items[0].deliveries.total, 3);
    const { deliveries } = (await other('workload', 'get', 'cm/settings', '-n', 'shop')).json();
    assert.deepEqual(
      deliveries.map(({ done }: { done: boolean }) => done),
      [true],
    );
    assert.equal((await other('policy', 'refresh', 'shop')).json().items[0].works, 3);
    const dry = await other('policy', 'delete', 'shop', '--dry-run', '--yes');
    assert.match(dry.stderr, /w1 {3}.*ConfigMap shop\/settings.* will be removed/);
  });

  it('shows what it can, and does not exit with 0, without its ITS or an object', async () => {
    const entry = its1.kubeconfigEntry;
    const dead = { ...entry, connection: { ...entry.connection, server: 'https://127.0.0.1:1' } };
    const kubeconfig = await writeKubeconfig(its1, [dead, wds1.kubeconfigEntry]);
    const ended = async (command: string[]) => {
      const { exitCode, stdout } = await cli.run([...command, '--timeout', '5s', ...at], { kubeconfig });
      assert.notEqual(stdout, '', command.join(' '));
      return exitCode;
    };
    const object = ['cm/settings', '-n', 'shop'];
    for (const command of [
      ['workload', 'get', ...object],
      ['workload', 'status', ...object],
      ['workload', 'list'],
      ['policy', 'get', 'shop'],
      ['policy', 'list'],
      ['policy', 'explain', 'shop'],
    ])
      assert.equal(await ended(command), 4, command.join(' '));
    const { exitCode, json } = await cli.run(['workload', 'get', 'cm/nosuch', '-n', 'shop', '-o', 'json', ...at]);
    assert.deepEqual([exitCode, json().deliveries[0].code], [1, 'object-missing']);
    for (const command of [
      ['workload', 'get', ...object.slice(0, 2), '../x'],
      ['workload', 'status', ...object.slice(0, 2), ''],
      ['policy', 'delete', '../x', '--yes'],
      ['policy', 'create', 'A', '--clusters', '', '-l', 'app=shop'],
      ['policy', 'create', 'all', '--clusters', '', '-l', ''],
    ]) {
      const run = await cli.run([...command, ...at]);
      assert.deepEqual([run.exitCode, run.stdout], [2, ''], command.join(' '));
    }
  });

  it('has collectors, for which KubeStellar reports at once what it cannot evaluate', async () => {
    const create = (def: string) => cli.run(['collector', 'create', 'c', '--column', `a=${def}`, ...at]);
    assert.equal((await create('obj.')).exitCode, 2);
    const { exitCode, stderr } = await create('nosuch.x');
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, /select expression \(a\) invalid: .*undeclared reference to 'nosuch'/);
    assert.match(stderr, /stellarctl collector delete c --wds wds1/);
    await cli.succeed(['collector', 'delete', 'c', ...at]);
    assert.equal((await create('obj.kind')).exitCode, 0);
  });

  it('is printed for scripts as documented', async () => {
    const transform = ['no-a', '--select', 'configmaps', '--remove', '$.data.a'];
    // Cli compares each document with docs/output.md.
    for (const line of [
      ['policy', 'list'],
      ['policy', 'get', 'shop'],
      ['policy', 'explain', 'shop'],
      ['policy', 'create', 'more', '--clusters', 'tier=web', '-l', 'app=more', '--dry-run'],
      ['policy', 'refresh', 'shop'],
      ['policy', 'delete', 'shop', '--yes', '--dry-run'],
      ['workload', 'list'],
      ['workload', 'status', 'cm/settings', '-n', 'shop'],
      ['workload', 'wait', 'cm/settings', '-n', 'shop'],
      ['collector', 'create', 'replicas', '--preset', 'replicas'],
      ['collector', 'list'],
      ['collector', 'get', 'replicas'],
      ['collector', 'delete', 'replicas'],
      ['transform', 'create', ...transform],
      ['transform', 'list'],
      ['transform', 'get', 'no-a'],
      ['transform', 'delete', 'no-a'],
    ])
      await cli.succeed([...line, '-o', 'json', ...at]);
  });

  it('is distinguished from one that does not exist', async () => {
    const { exitCode, stderr } = await cli.run(['policy', 'get', 'nothing', ...at]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /There is no binding policy nothing in wds1/);
  });
});

describe('a binding policy that is created and deleted', () => {
  const w1 = () => bed.plane('w1').admin;
  const uidOn = async (namespace: string) =>
    (await w1().find<KubeObject>(resources.configMaps, `${namespace}/settings`))?.metadata.uid;
  const create = (name: string, ...more: string[]) =>
    cli.succeed(['policy', 'create', name, '--clusters', 'tier=web', '-l', `app=${name}`, ...more, ...at]);

  for (const name of ['one', 'two'])
    before(async () => {
      const metadata = { name, labels: { app: name } };
      await wds1.admin.create(resources.namespaces, { metadata } as never);
      await wds1.admin.create(resources.configMaps, {
        metadata: { name: 'settings', namespace: name, labels: { app: name } },
        data: { a: 'b' },
      } as never);
    });
  const worksOf = async (name: string) => {
    const { items } = await its1.admin.list<KubeObject>(resources.manifestWorks, { namespace: 'w1' });
    return items.filter(({ metadata }) =>
      Object.values((metadata as { labels?: Record<string, string> }).labels ?? {}).includes(name),
    );
  };

  it('shows what it selects, writes nothing in a dry run, and is created once', async () => {
    const dry = await create('one', '--dry-run');
    assert.match(dry.stderr, /1 WEC · 2 objects/);
    assert.match(dry.stdout, /would create BindingPolicy one on wds1/);
    assert.equal(await wds1.admin.find(resources.bindingPolicies, 'one'), undefined);
    assert.match((await create('one')).stdout, /one.* created/);
    assert.match((await create('one')).stdout, /already exists/);
    const other = await cli.run(['policy', 'create', 'one', '--clusters', 'tier=other', '-l', 'app=one', ...at]);
    assert.equal(other.exitCode, 1);
    await until(() => uidOn('one'), 'ConfigMap on the WEC');
  });

  it('removes its workload', async () => {
    const refused = await cli.run(['policy', 'delete', 'one', ...at]);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /w1 {3}(?=.*Namespace one)(?=.*ConfigMap one\/settings).* will be removed/);
    assert.match(refused.stderr, /Namespace one will be removed with everything in it/);
    await cli.succeed(['policy', 'delete', 'one', '--yes', ...at]);
    assert.equal((await worksOf('one')).length, 0);
    await until(async () => (await uidOn('one')) === undefined, 'end of the ConfigMap on the WEC');
    assert.match((await cli.succeed(['policy', 'delete', 'one', '--yes', ...at])).stdout, /not found; nothing to do/);
  });

  it('keeps its workload, even if interrupted', async () => {
    await create('two');
    const uid = await until(() => uidOn('two'), 'ConfigMap on the WEC');
    // The state after the first write of an interrupted run.
    await wds1.admin.delete(resources.bindingPolicies, 'two', { propagationPolicy: 'Orphan' });
    const isGone = async () => (await wds1.admin.find(resources.bindingPolicies, 'two')) === undefined;
    await until(isGone, 'end of the policy');
    const list = await cli.succeed(['policy', 'list', ...at]);
    assert.match(list.stdout, /^two .*its policy was deleted/m);
    const { stderr } = await cli.succeed(['policy', 'delete', 'two', '--keep-workloads', '--yes', ...at]);
    assert.match(stderr, /w1 {3}.*ConfigMap two\/settings.* stay/);
    assert.equal(await wds1.admin.find(resources.bindings, 'two'), undefined);
    assert.equal((await worksOf('two')).length, 0);
    assert.equal(await uidOn('two'), uid);
    await create('two');
    await untilApplied(its1, 'w1', 5);
    await cli.succeed(['policy', 'delete', 'two', '--keep-workloads', '--yes', ...at]);
    assert.equal((await worksOf('two')).length, 0);
    assert.equal(await uidOn('two'), uid);
  });
});
