import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noteWrite } from '../../../../src/lib/core/each-name.ts';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { lostBy } from '../../../../src/lib/forecast/losses.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import { prunePolicy } from '../../../../src/lib/policies/prune-policy.ts';
import { workOf } from '../../support/policy-builders.ts';
import { MemoryCluster, soon } from '../../support/space-builders.ts';
import { WorkloadCluster } from '../../support/workload-cluster.ts';
import { openWds } from '../workloads/open-wds.ts';

type Typed = KubeObject & { kind: string };
const policy = {
  kind: 'BindingPolicy',
  metadata: { name: 'shop', uid: 'uid-of-policy' },
  spec: {
    downsync: [
      {
        apiGroup: '',
        resources: ['configmaps'],
        objectSelectors: [{ matchLabels: { app: 'shop' } }],
      },
    ],
  },
} as Typed;
const object = {
  group: '',
  version: 'v1',
  resource: 'configmaps',
  namespace: 'shop',
  name: 'settings',
};
const binding = {
  kind: 'Binding',
  metadata: { name: 'shop', uid: 'uid-of-binding', resourceVersion: '7', generation: 3 },
  spec: { destinations: [{ clusterId: 'w1' }], workload: { namespaceScope: [object] } },
} as Typed;
const settings = (labels = {}): Typed => ({
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'shop', labels },
});
const work = {
  ...workOf('shop', 'wds1', 'w1'),
  spec: {
    workload: {
      manifests: [
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'shop' } },
      ],
    },
  },
};

function scene(...objects: Typed[]) {
  const its: MemoryCluster = new MemoryCluster([work], { list: async () => its.objects as never });
  const inWds = new WorkloadCluster(objects);
  const patches: unknown[] = [];
  const refusals: Error[] = [];
  const kube = {
    ...inWds.kube,
    get: (async ({ kind }: { kind: string }, name: string) =>
      objects.find(
        (each) => each.kind === kind && each.metadata.name === name,
      )) as typeof inWds.kube.get,
    merge: (async (_: object, name: string, patch: object) => {
      for (const refusal of refusals) throw refusal;
      patches.push({ name, patch });
      noteWrite();
      its.objects.splice(0);
    }) as typeof inWds.kube.merge,
  };
  const asked: string[] = [];
  const run = () =>
    prunePolicy(
      'shop',
      async ({ effects }) => {
        asked.push([...new Set(lostBy(effects).map(({ wec }) => wec))].join());
        return true;
      },
      openWds(kube, its.kube),
      soon(),
    );
  return { run, patches, asked, inWds, refusals };
}

test('empties the Binding of a policy that selects nothing, for the generation that was shown', async () => {
  for (const left of [[], [settings()]]) {
    const { run, patches, asked } = scene(policy, binding, ...left);
    assert.deepEqual(await run(), { name: 'shop', objects: 1, changed: true });
    assert.deepEqual(asked, ['w1']);
    const annotations = { 'stellarctl.kubestellar.io/prune-generation': '3' };
    const metadata = { uid: 'uid-of-binding', resourceVersion: '7', annotations };
    assert.deepEqual(patches, [{ name: 'shop', patch: { metadata, spec: { workload: null } } }]);
  }
});

test('refuses while the policy selects an object, without a question', async () => {
  const { run, patches, asked } = scene(policy, binding, settings({ app: 'shop' }));
  const why = {
    message: /selects objects, such as ConfigMap shop\/settings: there is nothing to prune/,
  };
  await assert.rejects(run(), { code: 'conflict', ...why });
  assert.deepEqual([patches, asked], [[], []]);
});

test('refuses if not every object can be read', async () => {
  const { run, patches, inWds } = scene(policy, binding);
  inWds.forbidden.add('configmaps');
  await assert.rejects(run(), { code: 'forbidden' });
  assert.deepEqual(patches, []);
});

test('refuses a policy that does not exist', async () => {
  const { run } = scene(binding);
  await assert.rejects(run(), { code: 'not-found' });
});

test('has changed nothing if the guard refuses it', async () => {
  const { run, refusals } = scene(policy, binding);
  refusals.push(new StellarError('conflict', 'Its generation is another one.'));
  const { changed, ...rest } = await run();
  assert.deepEqual([changed, 'error' in rest], [false, true]);
});
