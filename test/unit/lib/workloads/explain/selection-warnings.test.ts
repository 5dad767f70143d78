import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hintOf } from '../../../../../src/lib/engine/next-step.ts';
import { hidden, seen } from '../../../../../src/lib/kube/access.ts';
import { nothingSelected } from '../../../../../src/lib/workloads/explain/selection-warnings.ts';
import type { PolicySubject } from '../../../../../src/lib/workloads/explain/subject.ts';
import type { LabelSelector } from '../../../../../src/lib/workloads/selection/label-selectors.ts';
import { fakeKube, joinedCluster } from '../../../support/builders.ts';

const its = seen({ name: 'its1', kube: fakeKube() });

/** The problem of a policy with these selectors, and what helps. */
function problemOf(clusterSelectors: LabelSelector[] | undefined, more: Partial<PolicySubject> = {}) {
  const subject = {
    ...{ name: 'p', spec: clusterSelectors === undefined ? {} : { clusterSelectors } },
    ...{ wds: { name: 'wds1', context: 'wds1', its }, inventory: seen([]), wecs: [], objects: [{}], kinds: [] },
    ...more,
  } as unknown as PolicySubject;
  return nothingSelected(subject).map(({ code, message, next = [] }) => ({ code, message, hint: hintOf(next) }));
}
const unmatched = (why: string, hint?: string) => [
  { code: 'no-wec-matches', message: `It selects no WEC: ${why}.`, hint },
];

describe('a policy that selects no WEC', () => {
  const matchLabels = { env: 'edge', tier: 'a' };
  const inRegion = { key: 'region', operator: 'In' as const, values: ['eu'] };

  test('is helped by a WEC with its labels', () => {
    const label = 'Give a WEC the labels: stellarctl label NAME env=edge tier=a';
    assert.deepEqual(problemOf([{ matchLabels }]), unmatched('none has the labels', `${label} --its its1`));
    const wds = { name: 'wds1', context: 'wds1', its: hidden('no route') } as unknown as PolicySubject['wds'];
    assert.deepEqual(problemOf([{ matchLabels }], { wds }), unmatched('none has the labels', label));
  });

  test('is not helped by labels that its expressions do not name', () => {
    for (const selector of [{ matchExpressions: [inRegion] }, { matchLabels, matchExpressions: [inRegion] }])
      assert.deepEqual(problemOf([selector]), unmatched('none has the labels'));
  });

  test('is not helped by labels without clusterSelectors', () => {
    for (const none of [undefined, []]) assert.deepEqual(problemOf(none), unmatched('it has no clusterSelectors'));
  });

  test('is not reported if it selects a WEC, or the WECs cannot be seen', () => {
    assert.deepEqual(problemOf([{ matchLabels }], { wecs: [joinedCluster()] }), []);
    assert.deepEqual(problemOf([{ matchLabels }], { inventory: hidden('no route') }), []);
  });
});
