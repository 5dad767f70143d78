import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LabelSelector } from '../../../../src/lib/kube/client/objects.ts';
import { effectOfRemoval } from '../../../../src/lib/workloads/policy-selectors.ts';
import { policy } from '../../support/policy-builders.ts';

describe('removing labels from a WEC', () => {
  const labels = { env: 'prod', 'feature.open-cluster-management.io/addon-x': 'available' };
  const after = { 'feature.open-cluster-management.io/addon-x': 'available' };
  const effect = (clusterSelectors: LabelSelector[]) => {
    const found = effectOfRemoval([policy('p', { clusterSelectors })], 'm1', labels, after);
    return Object.entries(found).flatMap(([what, policies]) => (policies.length > 0 ? [what] : []));
  };
  const by = (operator: string, values?: string[], key = 'env') => [
    { matchExpressions: [{ key, operator, ...(values && { values }) }] },
  ];
  test('releases it from policies that select by them', () => {
    assert.deepEqual(effect([{ matchLabels: { env: 'prod' } }]), ['released']);
    assert.deepEqual(effect(by('In', ['prod'])), ['released']);
    assert.deepEqual(effect(by('Exists')), ['released']);
  });
  test('makes policies select it that select by their absence', () => {
    assert.deepEqual(effect(by('NotIn', ['prod'])), ['starting']);
    assert.deepEqual(effect(by('DoesNotExist')), ['starting']);
  });
  test("leaves it to policies that select by OCM's labels, or everything", () => {
    assert.deepEqual(effect([{}]), ['staying']);
    assert.deepEqual(effect(by('Exists', undefined, 'feature.open-cluster-management.io/addon-x')), ['staying']);
    assert.deepEqual(effect(by('NotIn', ['dev'])), ['staying']);
    assert.deepEqual(effect([{ matchLabels: { env: 'prod' } }, {}]), ['staying']);
  });
  test('does not affect others', () => assert.deepEqual(effect([{ matchLabels: { env: 'dev' } }]), []));
  test('does not release it from a Binding without a policy', () => {
    const bound = (wec: string) => policy('p', { orphaned: true, destinations: [wec] });
    const { staying } = effectOfRemoval([bound('m1'), bound('m2')], 'm1', labels, after);
    assert.deepEqual(staying.length, 1);
  });
});
