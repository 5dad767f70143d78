import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type KubeObject,
  type Plane,
  resources,
  until,
  untilApplied,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import type { Cli } from '../support/harness.ts';
import { startWds, type WdsBed } from '../support/wds-bed.ts';
import { typeIn } from '../support/workload-traps.ts';

let all: WdsBed;
let cli: Cli;
let its1: Plane;
let wds1: Plane;

const labels = { app: 'shop' };
const spec = {
  clusterSelectors: [{ matchLabels: { tier: 'web' } }],
  downsync: [{ objectSelectors: [{ matchLabels: labels }] }],
};

before(async () => {
  all = await startWds(['w1']);
  ({ cli, its1, wds1 } = all);
  await wds1.admin.create(resources.namespaces, { metadata: { name: 'shop', labels } } as never);
  await wds1.admin.create(resources.configMaps, {
    metadata: { name: 'settings', namespace: 'shop', labels },
    data: { a: 'b' },
  } as never);
});

after(() => all?.stop());

const at = ['--wds', 'wds1', '--its', 'its1'];

describe('a binding policy', () => {
  before(async () => {
    await wds1.admin.create(resources.bindingPolicies, {
      metadata: { name: 'shop' },
      spec,
    } as never);
    await untilApplied(its1, 'w1', 2);
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
    await its1.admin.create(resources.validatingWebhooks, {
      metadata: { name },
      webhooks: [hook],
    } as never);
    await wds1.admin.create(resources.configMaps, {
      metadata: { name: 'late', namespace: 'shop', labels },
    });
    const get = async () => {
      const line = 'workload get cm/late -n shop -o json --wds wds1 --its its1';
      return (await cli.run(line.split(' '))).json().deliveries[0];
    };
    const late = await until(
      async () => ((await get()).blockedAt?.state === 'failed' ? get() : undefined),
      'a late work',
    );
    assert.deepEqual([late.code, late.next], ['work-missing', 'stellarctl doctor --its its1']);
    const doctor = await cli.run(['doctor', '--its', 'its1', '-o', 'json']);
    const finding = doctor.json().items.find(({ id }: { id: string }) => id === 'its-admits-works');
    assert.deepEqual(
      [doctor.exitCode, finding.status, finding.code],
      [1, 'fail', 'works-not-admitted'],
    );
    await typeIn(cli, finding.command).finally(() =>
      its1.admin.delete(resources.validatingWebhooks, name),
    );
    await until(async () => (await get()).done, 'the work is written');
    await wds1.admin.delete(resources.configMaps, 'shop/late');
    await untilApplied(its1, 'w1', 2);
  });

  it('is the same through a context of another name, which its works do not carry', async () => {
    const entries = [its1.kubeconfigEntry, { ...wds1.kubeconfigEntry, context: 'admin@wds1' }];
    const kubeconfig = await writeKubeconfig(its1, entries);
    const other = (...command: string[]) =>
      cli.succeed([...command, '--wds', 'admin@wds1', '--its', 'its1', '-o', 'json'], {
        kubeconfig,
      });
    assert.equal((await other('policy', 'list')).json().items[0].deliveries.total, 2);
    const { deliveries } = (await other('workload', 'get', 'cm/settings', '-n', 'shop')).json();
    assert.deepEqual(
      deliveries.map(({ done }: { done: boolean }) => done),
      [true],
    );
    assert.equal((await other('policy', 'refresh', 'shop')).json().items[0].works, 2);
    const dry = await other('policy', 'delete', 'shop', '--dry-run', '--yes');
    assert.match(dry.stderr, /w1 {3}.*ConfigMap shop\/settings.* will be removed/);
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
});

describe('a binding policy that is created and deleted', () => {
  const w1 = () => all.bed.plane('w1').admin;
  const uidOn = async (namespace: string) =>
    (await w1().find<KubeObject>(resources.configMaps, `${namespace}/settings`))?.metadata.uid;
  const type = (line: string) => cli.type(`${line} --wds wds1 --its its1`);
  const create = 'policy create two --clusters tier=web -l app=two';

  before(async () => {
    const labels = { app: 'two' };
    await wds1.admin.create(resources.namespaces, { metadata: { name: 'two', labels } } as never);
    await wds1.admin.create(resources.configMaps, {
      metadata: { name: 'settings', namespace: 'two', labels },
      data: { a: 'b' },
    } as never);
  });
  const worksOf = async (name: string) => {
    const { items } = await its1.admin.list<KubeObject>(resources.manifestWorks, {
      namespace: 'w1',
    });
    return items.filter(({ metadata }) =>
      Object.values((metadata as { labels?: Record<string, string> }).labels ?? {}).includes(name),
    );
  };

  it('keeps its workload, even if interrupted', async () => {
    await type(create);
    const uid = await until(() => uidOn('two'), 'ConfigMap on the WEC');
    // The state after the first write of an interrupted run.
    await wds1.admin.delete(resources.bindingPolicies, 'two', { propagationPolicy: 'Orphan' });
    const isGone = async () =>
      (await wds1.admin.find(resources.bindingPolicies, 'two')) === undefined;
    await until(isGone, 'end of the policy');
    const list = await type('policy list');
    assert.match(list.stdout, /^two .*no longer has a policy/m);
    const { stderr } = await type('policy delete two --keep-workloads --yes');
    assert.match(stderr, /w1 {3}.*ConfigMap two\/settings.* stay/);
    assert.equal(await wds1.admin.find(resources.bindings, 'two'), undefined);
    assert.equal((await worksOf('two')).length, 0);
    assert.equal(await uidOn('two'), uid);
    await type(`${create} --yes --allow-errors`);
    await untilApplied(its1, 'w1', 4);
    await type('policy delete two --keep-workloads --yes');
    assert.equal((await worksOf('two')).length, 0);
    assert.equal(await uidOn('two'), uid);
  });
});
