import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeTaken } from '../../../../src/commands/common/forecast-text.ts';
import { seen } from '../../../../src/lib/kube/access.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { missing } from '../../../../src/lib/kube/client/missing.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import { deletePolicy, inspectPolicy } from '../../../../src/lib/policies/delete-policy.ts';
import { workOf } from '../../support/policy-builders.ts';
import { MemoryCluster, soon } from '../../support/space-builders.ts';
import { failsWith } from '../../support/steps.ts';
import { openWds } from '../workloads/open-wds.ts';

const policy: KubeObject = {
  kind: 'BindingPolicy',
  metadata: { name: 'shop', uid: 'uid-of-policy' },
};
const freed: KubeObject = { kind: 'Binding', metadata: { name: 'shop', uid: 'uid-of-binding' } };
const owner = { apiVersion: 'x', kind: 'BindingPolicy', name: 'shop', uid: 'uid-of-policy' };
const binding = { ...freed, metadata: { ...freed.metadata, ownerReferences: [owner] } };
/** Its agent has applied it. */
const work = (
  name: string,
  objects: [kind: string, namespace: string | undefined, name: string][],
  of?: string,
) => ({
  kind: 'ManifestWork',
  metadata: {
    ...{ name, namespace: 'w1', uid: `uid-of-${name}`, generation: 1 },
    labels: (of === undefined ? {} : workOf(of, 'wds1', 'w1').metadata.labels) ?? {},
  },
  status: {
    resourceStatus: {
      manifests: objects.map((_, ordinal) => ({
        resourceMeta: { ordinal },
        conditions: [{ type: 'Applied', status: 'True', observedGeneration: 1 }],
      })),
    },
  },
  spec: {
    workload: {
      manifests: objects.map(([kind, namespace, each]) => ({
        kind,
        metadata: { namespace, name: each },
      })),
    },
  },
});

/** A WDS and an ITS with one log of writes; `onDelete` simulates the controllers after a deletion. */
function scene(
  wds: KubeObject[],
  works: KubeObject[],
  onDelete: (name: string, its: MemoryCluster) => void = () => {},
) {
  const log: string[] = [];
  const its = new MemoryCluster(structuredClone(works), {
    list: async (_, { namespace, labelSelector } = {}) =>
      its.objects.filter(
        ({ metadata }) =>
          (namespace === undefined || metadata.namespace === namespace) &&
          (labelSelector === undefined ||
            metadata.labels?.['transport.kubestellar.io/originOwnerReferenceBindingKey'] ===
              'shop'),
      ) as never,
    merge: async (_, name) => {
      log.push(`orphan ${name}`);
      const found = its.objects.find(({ metadata }) => metadata.name === name) as never as Record<
        string,
        unknown
      >;
      found.spec = { ...(found.spec as object), deleteOption: { propagationPolicy: 'Orphan' } };
      found.status = {
        conditions: [{ type: 'Applied', status: 'True', observedGeneration: 1 }],
        resourceStatus: { manifests: [] },
      };
      return {} as never;
    },
  });
  const inWds = new MemoryCluster(structuredClone(wds));
  const { delete: remove } = inWds.kube;
  const kube = {
    ...inWds.kube,
    delete: async (...[resource, object, options]: Parameters<typeof remove>) => {
      log.push(`delete ${resource.kind} ${object.metadata.uid}${options?.orphan ? ' orphan' : ''}`);
      const isDone = await remove(resource, object, options);
      if (resource.kind === 'BindingPolicy' && options?.orphan)
        for (const { metadata } of inWds.objects) delete metadata.ownerReferences;
      onDelete(resource.kind, its);
      return isDone;
    },
  };
  return { wds: openWds(kube, its.kube), its, log };
}

const own = work(
  'a',
  [
    ['Namespace', undefined, 'shop'],
    ['ConfigMap', 'shop', 'settings'],
  ],
  'shop',
);
const others = work('b', [
  ['ConfigMap', 'shop', 'settings'],
  ['Secret', 'shop', 'key'],
]);
const removeWorks = (of: string) => (kind: string, its: MemoryCluster) => {
  if (kind === of) its.objects.splice(0, its.objects.length, structuredClone(others));
};
const yes = async (_: unknown, more: readonly unknown[]) => more.length === 0;

describe('an object that leaves a WEC with a policy', () => {
  test('stays if another work has it, and takes along the contents of its Namespace', async () => {
    const { wds } = scene([policy], [own, others]);
    const { effects } = await inspectPolicy('shop', wds);
    assert.deepEqual(describeTaken(effects), [
      'w1   Namespace shop will be removed.',
      'w1   Namespace shop will be removed with everything in it, whoever created it.',
      'w1   ConfigMap shop/settings, Secret shop/key will be removed: its Namespace shop is deleted.',
    ]);
  });
});

test('an object that another work has as well stays', async () => {
  const namespace = work('c', [['Namespace', undefined, 'shop']]);
  const { wds } = scene([policy], [own, namespace]);
  const { effects } = await inspectPolicy('shop', wds);
  assert.deepEqual(describeTaken(effects), [
    'w1   ConfigMap shop/settings will be removed.',
    'w1   Namespace shop stay: work c has applied it too.',
  ]);
  const kept = await inspectPolicy('shop', wds, { keepsWorkloads: true });
  assert.deepEqual(describeTaken(kept.effects), [
    'w1   ConfigMap shop/settings, Namespace shop stay, without an owner.',
  ]);
});

describe('a policy is not deleted, and nothing is written, while a kind is not served that shows what it has sent', () => {
  for (const plural of ['bindingpolicies', 'bindings', 'manifestworks'])
    test(plural, async () => {
      for (const keepWorkloads of [false, true]) {
        const { wds, log } = scene([policy, binding], [own]);
        const notServing = (kube: Kube): Kube => ({
          ...kube,
          list: async (kind, selection) =>
            kind.plural === plural ? missing : kube.list(kind, selection),
          get: async (kind, name, options) =>
            kind.plural === plural ? undefined : kube.get(kind, name, options),
        });
        if (wds.its.state !== 'seen') assert.fail();
        const its = seen({ name: 'its1', kube: notServing(wds.its.value.kube) });
        const deletion = { name: 'shop', keepWorkloads, confirm: yes };
        await assert.rejects(
          deletePolicy(deletion, { ...wds, kube: notServing(wds.kube), its }, soon()),
          { code: 'api-error', message: new RegExp(`does not serve ${plural}\\.`) },
        );
        assert.deepEqual(log, []);
      }
    });
  test('and is not taken for deleted once a kind is no longer served', async () => {
    const { wds, its, log } = scene([policy, binding], [own]);
    const gone = async (kind: { plural: string }) =>
      kind.plural !== 'manifestworks' && log.length > 0;
    const kube: Kube = {
      ...wds.kube,
      list: async (kind, selection) =>
        (await gone(kind)) ? missing : wds.kube.list(kind, selection),
      get: async (kind, name, options) =>
        (await gone(kind)) ? undefined : wds.kube.get(kind, name, options),
    };
    const { error } = await deletePolicy(
      { name: 'shop', confirm: yes },
      { ...wds, kube },
      soon(50),
    );
    assert.match(String(error?.message), /does not serve binding/);
    assert.deepEqual(its.writes, [], 'its works stay');
  });
});

describe('deleting a policy', () => {
  const deleted = async (given: ReturnType<typeof scene>, keepWorkloads = false) => ({
    ...(await deletePolicy({ name: 'shop', keepWorkloads, confirm: yes }, given.wds, soon(5000))),
    log: given.log,
  });

  test('uses its UID, and waits for its works', async () => {
    const given = scene([policy, binding], [own], removeWorks('BindingPolicy'));
    const { log, error } = await deleted(given);
    assert.equal(error, undefined);
    assert.deepEqual(log, ['delete BindingPolicy uid-of-policy']);
  });

  test('keeps its workloads: the Binding is deleted only once the works own nothing', async () => {
    const given = scene([policy, binding], [own], removeWorks('Binding'));
    const { log, error } = await deleted(given, true);
    assert.equal(error, undefined);
    assert.deepEqual(log, [
      'delete BindingPolicy uid-of-policy orphan',
      'orphan a',
      'delete Binding uid-of-binding',
    ]);
  });

  test('resumes an interrupted run', async () => {
    const given = scene([freed], [own], removeWorks('Binding'));
    const { log, changed } = await deleted(given, true);
    assert.deepEqual([changed, log], [true, ['orphan a', 'delete Binding uid-of-binding']]);
  });

  test('removes leftovers of its transport: a work of a WEC that its Binding no longer named', async () => {
    const given = scene([], [own, others]);
    const { changed, error } = await deleted(given);
    assert.deepEqual([changed, error], [true, undefined]);
    assert.equal((await inspectPolicy('shop', given.wds)).works.length, 0);
    assert.equal(given.its.objects.length, 1);
  });

  test('fails if it does not exist', async () => {
    const { log, changed } = await deleted(scene([], []));
    assert.deepEqual([changed, log], [false, []]);
  });

  test('fails without its ITS: what it has sent is unseen', async () => {
    const { wds } = scene([policy], []);
    const hidden = { state: 'hidden', why: 'it is not clear', error: undefined } as const;
    const work = deletePolicy({ name: 'shop', confirm: yes }, { ...wds, its: hidden }, soon());
    await assert.rejects(work, { code: 'unreachable' });
  });

  test('fails if something is not deleted in time', async () => {
    const given = scene([policy, binding], [own]);
    const { error } = await deletePolicy({ name: 'shop', confirm: yes }, given.wds, soon(50));
    assert.equal(error?.code, 'timeout');
    assert.match(String(error?.message), /removing 1 work from w1/);
  });
});

test('a name that is too long for a label has no works, and is not part of a selector', async () => {
  const { wds } = scene([], [own]);
  for (const name of [
    'shop,!other',
    'shop,transport.kubestellar.io/originWdsName=wds1',
    '../shop',
    'x'.repeat(64),
  ])
    assert.deepEqual((await inspectPolicy(name, wds)).works, []);
  assert.equal((await inspectPolicy('shop', wds)).works.length, 1);
});

test('a policy that was sent through another ITS is not deleted with what it has sent there', async () => {
  const sent = {
    ...binding,
    metadata: { ...binding.metadata, generation: 2 },
    spec: {
      destinations: [{ clusterId: 'w1' }],
      workload: { clusterScope: [{ resource: 'namespaces', name: 'shop' }] },
    },
  };
  const inspect = (status: object, works: KubeObject[] = []) => {
    const { wds } = scene([policy, { ...sent, status } as KubeObject], works);
    return inspectPolicy('shop', wds);
  };
  for (const status of [{}, { observedGeneration: 1 }, { observedGeneration: 2, errors: ['x'] }])
    assert.deepEqual((await inspect(status)).works, []);
  assert.equal((await inspect({ observedGeneration: 2 }, [own])).works.length, 1);
  // The hosting cluster has shown the ITS, and its transport uses another one.
  await assert.rejects(
    inspect({ observedGeneration: 2 }),
    failsWith({
      code: 'identity-unproven',
      steps: /Is its ITS right, and does its transport run\? stellarctl wds get wds1$/m,
    }),
  );
});
