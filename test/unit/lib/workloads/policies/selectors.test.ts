import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { LabelSelector } from '../../../../../src/lib/workloads/policies/policy.ts';
import { effectOfRemoval, selects } from '../../../../../src/lib/workloads/policies/selectors.ts';
import { policy } from '../../../support/policy-builders.ts';

interface Recorded {
  managedClusters: Record<string, Record<string, string>>;
  /** Without destinations where the API server refused the policy. */
  cases: Record<string, { clusterSelectors: LabelSelector[]; destinations: string[] | null }>;
}

const recorded = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'fixtures', 'cluster-selectors.json'), 'utf8'),
) as Recorded;

const selected = (clusterSelectors: LabelSelector[]) =>
  Object.entries(recorded.managedClusters)
    .filter(([, labels]) => selects({ clusterSelectors }, labels))
    .map(([name]) => name);

describe('a policy selects the WECs that KubeStellar has selected', () => {
  for (const [name, { clusterSelectors, destinations }] of Object.entries(recorded.cases))
    test(`${name}: ${JSON.stringify(clusterSelectors)}`, () =>
      assert.deepEqual(selected(clusterSelectors), destinations ?? []));
});

describe('a policy selects no WEC', () => {
  for (const [why, requirement] of Object.entries({
    'by an operator that there is not': { key: 'env', operator: 'Near', values: ['x'] },
    'by NotIn without values': { key: 'env', operator: 'NotIn', values: [] },
    'by In without values': { key: 'env', operator: 'In' },
    'by DoesNotExist with values': { key: 'none', operator: 'DoesNotExist', values: ['x'] },
  }))
    test(`${why}, whatever its other selectors`, () => {
      assert.deepEqual(selected([{ matchExpressions: [requirement] }]), []);
      assert.deepEqual(selected([{}, { matchExpressions: [requirement] }]), []);
    });
  test('by a label that every JavaScript object has', () =>
    assert.deepEqual(selected([{ matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }]), []));
});

describe('taking labels off a WEC', () => {
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
  test('means nothing to others', () => assert.deepEqual(effect([{ matchLabels: { env: 'dev' } }]), []));
  test('does not release it from a Binding that has no policy any more', () => {
    const bound = (wec: string) => policy('p', { orphaned: true, destinations: [wec] });
    const { staying } = effectOfRemoval([bound('m1'), bound('m2')], 'm1', labels, after);
    assert.deepEqual(staying.length, 1);
  });
});
