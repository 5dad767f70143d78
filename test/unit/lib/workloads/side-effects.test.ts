import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LabelSelector } from '../../../../src/lib/kube/client/objects.ts';
import { effectOn } from '../../../../src/lib/workloads/side-effects.ts';
import { policy } from '../../support/policy-builders.ts';

describe('removing labels from a WEC', () => {
  const labels = { env: 'prod', 'feature.open-cluster-management.io/addon-x': 'available' };
  const after = { 'feature.open-cluster-management.io/addon-x': 'available' };
  const change = { name: 'm1', before: labels, after };
  const effect = (clusterSelectors: LabelSelector[]) => effectOn(policy('p', { clusterSelectors }), change);
  const by = (operator: string, values?: string[], key = 'env') => [
    { matchExpressions: [{ key, operator, ...(values && { values }) }] },
  ];
  test('releases it from policies that select by them', () => {
    assert.equal(effect([{ matchLabels: { env: 'prod' } }]), 'released');
    assert.equal(effect(by('In', ['prod'])), 'released');
    assert.equal(effect(by('Exists')), 'released');
  });
  test('makes policies select it that select by their absence', () => {
    assert.equal(effect(by('NotIn', ['prod'])), 'starting');
    assert.equal(effect(by('DoesNotExist')), 'starting');
  });
  test("leaves it to policies that select by OCM's labels, or everything", () => {
    assert.equal(effect([{}]), 'staying');
    assert.equal(effect(by('Exists', undefined, 'feature.open-cluster-management.io/addon-x')), 'staying');
    assert.equal(effect(by('NotIn', ['dev'])), 'staying');
    assert.equal(effect([{ matchLabels: { env: 'prod' } }, {}]), 'staying');
  });
  test('does not affect others', () => assert.equal(effect([{ matchLabels: { env: 'dev' } }]), undefined));
  test('does not release it from a Binding without a policy', () => {
    const bound = (wec: string) => policy('p', { orphaned: true, destinations: [wec] });
    assert.deepEqual([effectOn(bound('m1'), change), effectOn(bound('m2'), change)], ['staying', undefined]);
  });
});
