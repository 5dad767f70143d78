import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { problem, stepLines } from '../../../../../src/lib/core/next-step.ts';
import { seen } from '../../../../../src/lib/kube/access.ts';
import type { BoundObject } from '../../../../../src/lib/ocm/model/kubestellar-names.ts';
import type { Wds } from '../../../../../src/lib/spaces/choose/open-wds.ts';
import {
  bySeverity,
  conflictsOf,
  sentBy,
} from '../../../../../src/lib/workloads/delivery/conflicts.ts';
import { binding, workOf } from '../../../support/policy-builders.ts';
import { WorkloadCluster } from '../../../support/workload-cluster.ts';

const web = (createOnly?: boolean): BoundObject => ({
  ...{ group: 'apps', resource: 'deployments', namespace: 'shop', name: 'web' },
  ...(createOnly && { createOnly }),
});
const space: BoundObject = { resource: 'namespaces', name: 'shop' };
const kinds: Record<string, string> = { deployments: 'Deployment', namespaces: 'Namespace' };
const manifests = [
  { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' } },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
];
const sending = (wds: string, on: string, policy = 'other') => ({
  ...workOf(policy, wds, on),
  spec: { workload: { manifests } },
});

async function found(
  bindings: ReturnType<typeof binding>[],
  works: ReturnType<typeof sending>[] = [],
) {
  const its = new WorkloadCluster(works as never);
  const wds = { name: 'wds1', its: seen({ name: 'its1', kube: its.kube }) } as unknown as Wds;
  const sendings = bindings.map((each) => ({
    policy: each.metadata.name,
    wecs: (each.spec?.destinations ?? []).map(({ clusterId }) => clusterId),
    objects: sentBy(each, ({ resource }) => kinds[resource]),
  }));
  const problems = await conflictsOf(wds, sendings, bindings);
  return problems.map(({ code, message, next, severity }) => [
    ...[code, severity, message],
    stepLines(next).at(-1),
  ]);
}

test('errors come before warnings, which stay in their order', () => {
  const warning = (code: string) => ({ ...problem(code, ''), severity: 'warn' as const });
  const [first, second] = [warning('a'), warning('b')];
  const error = problem('c', '');
  assert.deepEqual([first, second, error].sort(bySeverity), [error, first, second]);
});

describe('what is sent to a WEC', () => {
  const [a, b] = [
    binding('a', { destinations: ['w1', 'w2'], objects: [web(), space] }),
    binding('b', { destinations: ['w2', 'w3'], objects: [web(true), space] }),
  ];
  test('is a conflict where two policies ask for other options, once', async () =>
    assert.deepEqual(await found([a, b]), [
      [
        'sent-twice',
        'warn',
        'Policies a and b both send Deployment shop/web to w2, and only b with createOnly: a changes what is to be kept there.',
        'See what it selects: stellarctl policy explain a --wds wds1',
      ],
    ]));
  test('is a conflict where another WDS sends it as well', async () =>
    assert.deepEqual(await found([a], [sending('wds2', 'w1'), sending('wds2', 'w3')]), [
      [
        'sent-by-another-wds',
        'warn',
        'Policy other of WDS wds2 also sends Deployment shop/web to w1: each overwrites what the other has sent.',
        'See it there: stellarctl policy get other --wds wds2',
      ],
    ]));
  test('is one where namesakes of two namespaces have statuses to combine', async () => {
    const combined = { ...web(), statusCollectors: ['replicas'] };
    const pay = { ...web(), namespace: 'pay' };
    const of = (name: string, object: BoundObject, on = 'w2') =>
      binding(name, { destinations: [on], objects: [object] });
    const confused = (names: string) => [
      [
        'statuses-confused',
        undefined,
        `KubeStellar confuses the statuses of ${names} on w2, which differ only in their namespace: where StatusCollectors combine them, its controller manager crashes, and each new start of it can take workloads away.`,
        'Give one of them another name, or combine the statuses of neither',
      ],
    ];
    const [shopFirst, payFirst] = [
      'Deployment shop/web, Deployment pay/web',
      'Deployment pay/web, Deployment shop/web',
    ].map(confused);
    assert.deepEqual(await found([of('c', combined), of('d', pay)]), shopFirst);
    assert.deepEqual(await found([of('c', pay), of('d', combined)]), payFirst);
    const both = (...objects: BoundObject[]) =>
      found([binding('e', { destinations: ['w2'], objects })]);
    assert.deepEqual(await both(combined, pay), shopFirst);
    assert.deepEqual(await both(combined, { ...combined, namespace: 'pay' }), []);
    assert.deepEqual(await found([of('c', combined), of('d', pay, 'w1')]), []);
    assert.deepEqual(await found([a, of('d', pay)]), []);
    assert.deepEqual(await found([of('c', combined), of('d', { ...pay, name: 'till' })]), []);
    const ofOther = [sending('wds2', 'w2')];
    assert.deepEqual(await found([of('c', { ...combined, namespace: 'pay' })], ofOther), payFirst);
    assert.deepEqual(await found([of('c', pay)], ofOther), []);
    assert.deepEqual(await found([of('c', { ...combined, name: 'till' })], ofOther), []);
  });
  test('is none with the same options, on other WECs, in own works and of shared Namespaces', async () => {
    const same = binding('c', { destinations: ['w1'], objects: [web()] });
    const elsewhere = binding('d', { destinations: ['w3'], objects: [web(true)] });
    const spaces = binding('e', { destinations: ['w1'], objects: [space] });
    assert.deepEqual(await found([a, same, elsewhere, spaces], [sending('wds1', 'w1', 'a')]), []);
    assert.deepEqual(await found([spaces], [sending('wds2', 'w1')]), []);
  });
  test('is not asked of the ITS where nothing is sent that could be one', async () => {
    const wds = { name: 'wds1', its: { state: 'hidden', why: 'no route', error: undefined } };
    assert.deepEqual(await conflictsOf(wds as unknown as Wds, [], [a]), []);
    const empty = { policy: 'a', wecs: ['w1'], objects: [] };
    assert.deepEqual(await conflictsOf(wds as unknown as Wds, [empty], [a]), []);
  });
});
