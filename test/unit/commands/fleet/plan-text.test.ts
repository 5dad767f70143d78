import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replacesValues } from '../../../../src/commands/fleet/plan-text.ts';
import type { FleetPlan } from '../../../../src/lib/fleet/plan.ts';

test('policies may take workloads away only if a WEC loses a value, or a label gets another one', () => {
  const judged = (kind: string, from: string | null, to: string | null) =>
    replacesValues({
      items: [{ changes: [{ kind, key: 'env', from, to }] }],
    } as unknown as FleetPlan);
  assert.equal(judged('label', 'prod', null), true);
  assert.equal(judged('label', 'prod', 'test'), true);
  assert.equal(judged('label', null, 'test'), false);
  assert.equal(judged('property', 'prod', null), true);
  assert.equal(judged('property', 'prod', 'test'), false);
});
