import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type AnyObject,
  faultyPods,
  type Plane,
  resources,
  until,
  untilApplied,
} from '../../../testbed/index.ts';
import type { Cli, CliRun } from '../support/harness.ts';
import { inRelease } from '../support/in-release.ts';
import { assertRefused, assertUnwritten, markAll } from '../support/refusal.ts';
import { join, statusOf } from '../support/registration.ts';
import { startWds, type WdsBed } from '../support/wds-bed.ts';

const labelsOf: Record<string, string[]> = {
  w1: ['tier=web', 'region=eu-w1', 'topology.kubernetes.io/zone=z'],
  w2: ['tier=web', 'region=eu-w2'],
  w4: ['only=w4'],
};
const names = Object.keys(labelsOf);

let entered: WdsBed;
let bed: WdsBed['bed'];
let cli: Cli;
let its1: Plane;
let wds1: Plane;
let all: Plane[];

before(async () => {
  entered = await startWds(names, { wecs: [] });
  ({ bed, cli, its1, wds1 } = entered);
  all = [its1, ...names.map((name) => bed.plane(name))];
  await Promise.all(
    names.map((name) =>
      join(cli, its1, name, labelsOf[name]?.map((label) => `--label ${label}`).join(' ')),
    ),
  );
});

after(() => entered?.stop());

const clusterOf = (name: string) => its1.admin.find<AnyObject>(resources.managedClusters, name);
const worksOf = async (name: string) =>
  (await its1.admin.list<AnyObject>(resources.manifestWorks, { namespace: name })).items;
const deregister = (name: string, ...more: string[]) => [
  'deregister',
  name,
  '--its',
  'its1',
  '--yes',
  ...more,
];

/** Works that were being deleted when their cluster returned are recreated. */
async function untilSent(name: string, count: number) {
  await until(async () => {
    const works = await worksOf(name);
    const isThere =
      works.length === count &&
      works.every(({ metadata }) => metadata.deletionTimestamp === undefined);
    return isThere;
  }, `${count} works of ${name}`);
  await untilApplied(its1, name, count);
}

async function createPolicy(name: string, clusterSelectors: object[]) {
  await wds1.admin.create(resources.bindingPolicies, {
    metadata: { name },
    spec: {
      clusterSelectors,
      downsync: [
        { resources: ['configmaps'], objectSelectors: [{ matchLabels: { app: 'shop' } }] },
      ],
    },
  } as never);
  await until(async () => await wds1.admin.find(resources.bindings, name), `Binding ${name}`);
}

describe('a WEC that policies select', () => {
  before(async () => {
    const labels = { app: 'shop' };
    const annotations = { 'control.kubestellar.io/expand-templates': 'true' };
    await wds1.admin.create(resources.namespaces, { metadata: { name: 'shop', labels } } as never);
    await wds1.admin.create(resources.configMaps, {
      metadata: { name: 'settings', namespace: 'shop', labels, annotations },
      data: { region: '{{.region}}' },
    } as never);
    for (const name of ['w1', 'w2'])
      await bed
        .plane(name)
        .admin.ensure(resources.namespaces, { metadata: { name: 'shop' } } as never);
    await createPolicy('shop', [{ matchLabels: { tier: 'web' } }]);
    await createPolicy('zone', [{ matchLabels: { 'topology.kubernetes.io/zone': 'z' } }]);
    await untilApplied(its1, 'w1', 2);
    await untilApplied(its1, 'w2', 1);
  });

  it('is rejected before anything is written if one starts to select it without its labels', async () => {
    await createPolicy('trap', [{ matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }]);
    await markAll(all);
    const run = await cli.run(deregister('w1=w1', '--cleanup'));
    const hint = /kubectl --context wds1 edit bindingpolicy trap/;
    assertRefused(run, { exitCode: 1, says: /starts to select it/, hint });
    assert.match(run.stderr, /trap \(wds1\)/);
    await assertUnwritten(all);
    await wds1.admin.delete(resources.bindingPolicies, 'trap');
    await until(
      async () => (await wds1.admin.find(resources.bindingPolicies, 'trap')) === undefined,
      'end of trap',
    );
    await untilSent('w1', 2);
  });

  /** Ends the deregistration of w2 by a signal, restores it, and expects its registration to be as before. */
  async function assertRestored(signal: 'SIGINT' | 'SIGKILL', restore: (run: CliRun) => unknown) {
    const before = await clusterOf('w2');
    const mend = await bed.fault({ kind: 'dead', plane: 'w2', pod: faultyPods.agents });
    const run = await cli.run(deregister('w2'), { signalAt: { text: /is being removed/, signal } });
    await mend();
    await restore(run);
    const now = await clusterOf('w2');
    assert.deepEqual(now?.metadata.labels, before?.metadata.labels);
    assert.deepEqual(now?.metadata.annotations, before?.metadata.annotations);
    await untilSent('w2', 1);
  }

  it('has its labels restored after SIGINT', () =>
    assertRestored('SIGINT', ({ exitCode, stderr }) => {
      assert.equal(exitCode, 130, stderr);
      assert.match(
        stderr,
        /Restored: label region=eu-w2, tier=web|Restored: label tier=web, region=eu-w2/,
      );
    }));

  it('is reported as half deregistered after SIGKILL, and can be restored', inRelease, () =>
    assertRestored('SIGKILL', async ({ signal }) => {
      assert.equal(signal, 'SIGKILL');
      assert.equal((await clusterOf('w2'))?.metadata.labels?.tier, undefined);
      const { stdout } = await cli.type('deregister w2 --undo --its its1');
      assert.match(stdout, /restored: label/);
    }),
  );

  it(
    'loses its labels, including those of Kubernetes, before it is deleted, and removes no works of others',
    inRelease,
    async () => {
      const [before] = await worksOf('w2');
      await cli.succeed(deregister('w1=w1', '--cleanup'));
      assert.equal(await clusterOf('w1'), undefined);
      const [now] = await worksOf('w2');
      assert.equal(now?.metadata.uid, before?.metadata.uid);
    },
  );
});

describe('a WEC with an object that its agent cannot update', () => {
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'fixed', namespace: 'default' },
    immutable: true,
  };
  const workWith = (a: string) => ({
    spec: { workload: { manifests: [{ ...configMap, data: { a } }] } },
  });
  let uid: string | undefined;

  before(async () => {
    await its1.admin.create(resources.manifestWorks, {
      metadata: { name: 'by-hand', namespace: 'w4' },
      ...workWith('1'),
    } as never);
    await untilApplied(its1, 'w4', 1);
    uid = (await bed.plane('w4').admin.get<AnyObject>(resources.configMaps, 'default/fixed'))
      .metadata.uid;
    await its1.admin.patch(resources.manifestWorks, 'w4/by-hand', workWith('2'));
    await until(
      async () => (await worksOf('w4')).every((work) => statusOf(work, 'Applied') === 'False'),
      'failed update',
    );
  });

  it('keeps the object or deletes nothing, and names the object', async () => {
    const run = await cli.run(deregister('w4', '--keep-workloads'));
    assertRefused(run, {
      exitCode: 1,
      says: /Workloads cannot be kept.*Nothing was deleted/,
      hint: /w4=CONTEXT --keep-workloads/,
    });
    assert.match(run.stderr, /ConfigMap default\/fixed: .*immutable/);
    const [work] = await worksOf('w4');
    assert.equal(work?.metadata.deletionTimestamp, undefined);
    assert.deepEqual(
      Object.keys((await clusterOf('w4'))?.metadata.labels ?? {}).includes('only'),
      true,
    );
  });

  it(
    'keeps the object if given a context, through which it is removed from its work',
    inRelease,
    async () => {
      await cli.succeed(deregister('w4=w4', '--keep-workloads', '--cleanup'));
      const object = await bed
        .plane('w4')
        .admin.get<AnyObject>(resources.configMaps, 'default/fixed');
      assert.equal(object.metadata.uid, uid);
      assert.deepEqual(object.metadata.ownerReferences ?? [], []);
    },
  );
});
