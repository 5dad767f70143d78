import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Outcome } from '../../../../../src/lib/engine/checks.ts';
import { StellarError } from '../../../../../src/lib/engine/errors.ts';
import type { Node, Pod } from '../../../../../src/lib/kube/objects.ts';
import { judgeKubernetes, judgeRoom } from '../../../../../src/lib/wecs/join/requirements.ts';
import { fakeKube } from '../../../support/builders.ts';

const words = (outcome: Outcome): string =>
  outcome.status === 'pass' ? `pass ${outcome.found ?? ''}`.trim() : `${outcome.status} ${outcome.problem.code}`;

describe('the version of Kubernetes', () => {
  for (const [version, expected] of [
    ['v1.32.13+k3s1', 'pass 1.32'],
    // What precedes a patch number is no earlier version.
    ['v1.29.0-gke.1381000', 'pass 1.29'],
    ['v1.99.0', 'pass 1.99'],
    ['v1.28.15', 'warn kubernetes-untested'],
    ['v1.16.0-alpha.1', 'warn kubernetes-untested'],
    ['v1.15.12', 'fail kubernetes-too-old'],
    // Numbers are compared as numbers.
    ['v1.9.11', 'fail kubernetes-too-old'],
    [undefined, 'skipped skipped'],
  ] as const)
    test(`${version} is ${expected}`, () => assert.equal(words(judgeKubernetes(version)), expected));
});

describe('the room for an agent', () => {
  const node = (name: string, allocatable: object, spec: object = {}): Node =>
    ({ metadata: { name }, spec, status: { allocatable } }) as never;
  const pod = (nodeName: string, requests: object = {}): Pod =>
    ({ metadata: { name: 'p' }, spec: { nodeName, containers: [{ name: 'c', resources: { requests } }] } }) as never;
  const large = { cpu: '4', memory: '8Gi', pods: '110' };
  const judged = (nodes: Node[], pods: Pod[] = []) =>
    judgeRoom(fakeKube({ list: (async ({ kind }: { kind: string }) => (kind === 'Node' ? nodes : pods)) as never }));

  test('is enough on one node, or on two together', async () => {
    assert.equal(words(await judged([node('a', large)])), 'pass');
    const one = { cpu: '2m', memory: '16Mi', pods: '1' };
    assert.equal(words(await judged([node('a', one), node('b', one)])), 'pass');
  });

  test('is what the pods of a node leave of each resource', async () => {
    for (const pods of [
      [pod('a', { cpu: '3998m' })],
      [pod('a', { memory: '8176Mi' })],
      Array.from({ length: 109 }, () => pod('a')),
    ])
      assert.equal(words(await judged([node('a', large)], pods)), 'fail pod-unschedulable');
    // The sum of the fractions is not exact.
    assert.equal(
      words(await judged([node('a', large)], [pod('a', { cpu: '2.7' }), pod('a', { cpu: '1.296' })])),
      'pass',
    );
  });

  test('is not taken by pods that run elsewhere, or have ended', async () => {
    const asked: unknown[] = [];
    const list = async ({ kind }: { kind: string }, selection: unknown) => {
      asked.push(kind === 'Pod' && selection);
      return kind === 'Node' ? [node('a', large)] : [pod('b', { cpu: '4' })];
    };
    assert.equal(words(await judgeRoom(fakeKube({ list: list as never }))), 'pass');
    assert.deepEqual(asked, [false, { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' }]);
  });

  test('is not on nodes that take no new pods', async () => {
    const taint = (effect: string) => node('a', large, { taints: [{ key: 'k', effect }] });
    for (const closed of [taint('NoSchedule'), taint('NoExecute')]) {
      const outcome = await judged([closed]);
      assert.equal(words(outcome), 'fail pod-unschedulable');
      assert.match('problem' in outcome ? outcome.problem.message : '', /; 0 of 1 nodes take new pods$/);
    }
    assert.equal(words(await judged([taint('PreferNoSchedule')])), 'pass');
  });

  test('is unknown to a user who may not read it', async () => {
    const kube = fakeKube({ list: () => Promise.reject(new StellarError('forbidden', 'No.')) });
    assert.equal(words(await judgeRoom(kube)), 'skipped skipped');
  });
});
