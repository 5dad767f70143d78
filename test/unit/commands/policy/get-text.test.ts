import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describePolicyView } from '../../../../src/commands/policy/get-text.ts';
import { styleFor } from '../../../../src/lib/terminal/style.ts';
import { fakeIo } from '../../support/fake-io.ts';

test('a missing object is "not found", another one names its stage', () => {
  const why = 'deployment/web is not in wds1';
  const blockedAt = { stage: 'exists', title: 'in the WDS', state: 'failed', why };
  const way = { policy: 'shop', wec: 'w1', done: false, stage: null, blockedAt, code: null, hint: null, next: null };
  const object = { kind: 'Deployment', namespace: 'shop', name: 'web', ways: [{ ...way, stages: [] }] };
  const view = { name: 'shop', wds: 'wds1', its: 'its1', wecs: ['w1'], objects: [object], notVisible: [] };
  const lines = describePolicyView(view as never, styleFor(process.stdout, fakeIo().io, 'never')).join('\n');
  assert.match(lines, /✗ Deployment shop\/web +not found\n/);
  const blocked = { ...way, blockedAt: { ...blockedAt, stage: 'status' }, stages: [] };
  const other = { ...view, objects: [{ ...object, ways: [blocked] }] };
  const shown = describePolicyView(other as never, styleFor(process.stdout, fakeIo().io, 'never'));
  assert.match(shown.join('\n'), / failed at status\n/);
});
