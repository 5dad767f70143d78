import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replacesLabels } from '../../../../src/commands/fleet/plan-text.ts';
import type { FleetPlan } from '../../../../src/lib/fleet/plan.ts';

test('policies may stop selecting a WEC only if it loses a label, or the value of one', () => {
  const judged = (kind: string, from: string | null, to: string | null) =>
    replacesLabels({ items: [{ changes: [{ kind, key: 'env', from, to }] }] } as unknown as FleetPlan);
  assert.equal(judged('label', 'prod', null), true);
  assert.equal(judged('label', 'prod', 'test'), true);
  assert.equal(judged('label', null, 'test'), false);
  assert.equal(judged('property', 'prod', null), false);
});
