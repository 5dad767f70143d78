import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DownsyncClause } from '../../../../src/lib/ocm/model/kubestellar-names.ts';
import {
  labelsToSelect,
  namespaceCandidate,
} from '../../../../src/lib/workloads/selection/select-objects.ts';

const app = { objectSelectors: [{ matchLabels: { app: 'shop' } }] };

const words = (clauses: DownsyncClause[], labels: Record<string, string> = {}) => {
  const namespaces = new Map([['shop', labels]]);
  return labelsToSelect(clauses, namespaceCandidate('shop', namespaces), namespaces);
};

test('the missing labels of an object come from the clause', () =>
  assert.deepEqual(words([{}, app], { other: 'label' }), ['app=shop']));
test('another value must be overwritten', () =>
  assert.deepEqual(words([app], { app: 'else' }), ['app=shop', '--overwrite']));
test('no label satisfies a clause that does not select by label', () => {
  assert.equal(words([{ ...app, resources: ['configmaps'] }]), undefined);
  assert.equal(words([{ ...app, namespaces: ['shop'] }]), undefined);
  assert.equal(words([{ namespaces: ['shop'] }]), undefined);
});
test('the first suitable one of several clauses and selectors is used', () => {
  const invalid = {
    objectSelectors: [{ matchLabels: { 'not a key': '' } }, { matchLabels: { tier: 'web' } }],
  };
  assert.deepEqual(words([{ ...app, resources: ['configmaps'] }, invalid]), ['tier=web']);
});
test('expressions that labels cannot satisfy exclude a clause', () => {
  const never = {
    matchLabels: { app: 'shop' },
    matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }],
  };
  assert.equal(words([{ objectSelectors: [never] }]), undefined);
});
