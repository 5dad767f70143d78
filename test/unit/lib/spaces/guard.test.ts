import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Environment } from '@marcbachmann/cel-js';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import { withFlags } from '../../../../src/lib/maintenance/guard-wds.ts';
import { betaKinds, deleteGuard, readGuard, writeGuard } from '../../../../src/lib/spaces/guard.ts';
import { heldBindings } from '../../../../src/lib/workloads/delivery/delivery.ts';
import { fakeKube } from '../../support/builders.ts';
import { binding } from '../../support/policy-builders.ts';
import { soon } from '../../support/space-builders.ts';

type Typed = KubeObject & {
  apiVersion?: string;
  kind?: string;
  spec?: { validations?: { expression: string }[] };
};
const object = { group: '', version: 'v1', resource: 'configmaps', namespace: 'shop', name: 'a' };
const full = (name: string) => ({
  metadata: { name, generation: 3 },
  spec: { workload: { namespaceScope: [object] } },
});

/** An API server that serves the policies in one version, and applies them some tries after they were written. */
function server({
  served = 'v1',
  bindings = [full('shop')] as KubeObject[],
  appliesAfter = 1,
  lists = true,
} = {}) {
  const objects: Typed[] = [];
  const log: string[] = [];
  let tries = 0;
  const kube = fakeKube({
    list: async ({ apiVersion, kind }) => {
      if (kind === 'Binding') return bindings;
      return lists && apiVersion.endsWith(`/${served}`)
        ? objects.filter((each) => each.kind === kind)
        : undefined;
    },
    read: async (path) =>
      path.endsWith(`/${served}`)
        ? { resources: betaKinds.map(({ plural: name }) => ({ name })) }
        : undefined,
    apply: async (written) => {
      log.push(`apply ${(written as Typed).apiVersion} ${(written as Typed).kind}`);
      objects.push({
        ...written,
        metadata: { ...written.metadata, uid: `uid-of-${(written as Typed).kind}` },
      });
      return 'created';
    },
    delete: async ({ kind }, { metadata: { name } }) => {
      log.push(`delete ${kind} ${name}`);
      return true;
    },
    tryMerge: async () => {
      tries += 1;
      if (tries <= appliesAfter) return;
      const message = objects.find(({ kind }) => kind === 'ValidatingAdmissionPolicy')?.spec
        ?.validations?.[0];
      throw apiError(
        kube.cluster,
        422,
        JSON.stringify({ message: `denied: ${JSON.stringify(message)}` }),
      );
    },
  });
  return { kube, objects, log, bindings, tries: () => tries };
}

const write = async (of: ReturnType<typeof server>) => {
  const { kinds } = await readGuard(of.kube);
  assert.ok(kinds);
  await writeGuard(of.kube, kinds, 'wds1', soon());
  return kinds;
};

/** The policies whose Bindings a guard keeps, of one that selects nothing any more. */
const heldIn = async (kube: Parameters<typeof heldBindings>[0]) => {
  const policies = [{ metadata: { name: 'shop' }, spec: { downsync: [] } }];
  const bindings = new Map([
    ['shop', binding('shop', { objects: [{ resource: 'configmaps', name: 'a' }] })],
  ]);
  return [
    ...(await heldBindings(
      kube,
      { policies, bindings },
      { objects: [], namespaces: new Map(), unread: [] },
    )),
  ];
};

describe('the guard', () => {
  test('is written in the version that is served, and until it has an effect', async () => {
    for (const served of ['v1', 'v1beta1']) {
      const of = server({ served });
      assert.equal((await readGuard(of.kube)).isOn, false);
      await write(of);
      assert.deepEqual(of.log, [
        `apply admissionregistration.k8s.io/${served} ValidatingAdmissionPolicy`,
        `apply admissionregistration.k8s.io/${served} ValidatingAdmissionPolicyBinding`,
      ]);
      assert.equal(of.tries(), 2);
      assert.equal((await readGuard(of.kube)).isOn, true);
    }
  });

  test('cannot be proven without a Binding that has objects, also if the last one has just lost them', async () => {
    const none = server({ bindings: [{ metadata: { name: 'empty' } }] });
    await write(none);
    assert.equal(none.tries(), 0);
    const emptied = server({ appliesAfter: 99 });
    emptied.kube.tryMerge = async () => void emptied.bindings.splice(0);
    await write(emptied);
  });

  test('is not on if one of its objects is missing or was changed', async () => {
    const of = server();
    await write(of);
    const [policy, binding] = structuredClone(of.objects) as [Typed, Typed];
    of.objects.splice(1);
    assert.equal((await readGuard(of.kube)).isOn, false);
    of.objects.splice(0, 2, policy, {
      ...binding,
      spec: { ...binding.spec, validationActions: ['Audit'] },
    } as Typed);
    assert.equal((await readGuard(of.kube)).isOn, false);
    assert.deepEqual(await heldIn(of.kube), ['shop'], 'it may keep what a deletion then removes');
    of.objects.splice(
      0,
      2,
      { ...policy, spec: { ...policy.spec, failurePolicy: 'Fail', added: 1 } } as Typed,
      binding,
    );
    assert.equal((await readGuard(of.kube)).isOn, true, 'the API server adds fields');
  });

  test('cannot be had where no version is served', async () => {
    const found = await readGuard(server({ served: 'none' }).kube);
    assert.deepEqual(found, { objects: [], isOn: false });
  });

  test('is unknown where its kinds are served and their lists are not found', async () => {
    for (const served of ['v1', 'v1beta1'])
      await assert.rejects(readGuard(server({ served, lists: false }).kube), { code: 'api-error' });
  });

  test('is deleted with its binding first, by UID', async () => {
    const of = server();
    await write(of);
    of.log.splice(0);
    await deleteGuard(of.kube, await readGuard(of.kube));
    assert.deepEqual(of.log, [
      'delete ValidatingAdmissionPolicyBinding stellarctl-keep-workloads',
      'delete ValidatingAdmissionPolicy stellarctl-keep-workloads',
    ]);
  });

  test('has the same kinds for v1beta1', () => {
    assert.deepEqual(
      betaKinds.map(({ plural }) => plural),
      ['validatingadmissionpolicies', 'validatingadmissionpolicybindings'],
    );
  });
});

describe('its expression', async () => {
  const of = server();
  await write(of);
  const [{ expression } = { expression: '' }] = of.objects[0]?.spec?.validations ?? [];
  // cel-js has size() and string(), and reads has() of absent fields as the API server does.
  const passes = (oldObject: object, after: object) =>
    new Environment({ unlistedVariablesAreDyn: true }).evaluate(expression, {
      oldObject,
      object: after,
    });
  const binding = (workload: object | undefined, annotations?: object) => ({
    metadata: { generation: 3n, ...(annotations && { annotations }) },
    spec: { ...(workload && { workload }), destinations: [{ clusterId: 'w1' }] },
  });
  const [cluster, namespaced] = [{ clusterScope: [object] }, { namespaceScope: [object] }];
  const key = 'stellarctl.kubestellar.io/prune-generation';

  for (const [title, before, after, isAllowed] of [
    ['all namespaced objects go', binding(namespaced), binding({}), false],
    ['all cluster-scoped objects go', binding(cluster), binding({ clusterScope: [] }), false],
    ['the workload goes', binding({ ...cluster, ...namespaced }), binding(undefined), false],
    ['the spec goes', binding(namespaced), { metadata: {} }, false],
    ['one of two scopes goes', binding({ ...cluster, ...namespaced }), binding(cluster), true],
    ['it was empty', binding({}), binding({}), true],
    ['it had no spec', { metadata: {} }, binding(undefined), true],
    ['objects come', binding(undefined), binding(namespaced), true],
    ['it is pruned', binding(namespaced), binding(undefined, { [key]: '3' }), true],
    [
      'another generation was pruned',
      binding(namespaced),
      binding(undefined, { [key]: '2' }),
      false,
    ],
    ['it has other annotations', binding(namespaced), binding(undefined, { other: '3' }), false],
  ] as const)
    test(`${isAllowed ? 'passes' : 'fails'} if ${title}`, () =>
      assert.equal(passes(before, after), isAllowed));
});

describe('the flags of the API server', () => {
  const [gates, config] = [
    '--feature-gates=ValidatingAdmissionPolicy=true',
    '--runtime-config=admissionregistration.k8s.io/v1beta1=true',
  ];
  test('are added once', () => {
    assert.deepEqual(withFlags(['kube-apiserver', '--v=2']), [
      'kube-apiserver',
      '--v=2',
      gates,
      config,
    ]);
    assert.deepEqual(withFlags(withFlags(['kube-apiserver'])), ['kube-apiserver', gates, config]);
  });
  test('keep the values that are there', () => {
    assert.deepEqual(
      withFlags(['--feature-gates=A=true,B=false', '--runtime-config=api/all=true']),
      [
        '--feature-gates=A=true,B=false,ValidatingAdmissionPolicy=true',
        '--runtime-config=api/all=true,admissionregistration.k8s.io/v1beta1=true',
      ],
    );
  });
});
