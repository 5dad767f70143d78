import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeWorkload } from '../../../../src/commands/workload/get-text.ts';
import { styleFor } from '../../../../src/lib/terminal/style.ts';
import { fakeIo } from '../../support/fake-io.ts';

/** The lines below the head and the deliveries. */
function stepsOf(...ways: { steps: string[]; next: string | null }[]): string[] {
  const blockedAt = { stage: 'applied', state: 'failed', why: 'forbidden' };
  const given = ways.map((way, index) => ({ policy: 'shop', wec: `w${index + 1}`, stages: [], blockedAt, ...way }));
  const view = { kind: 'ConfigMap', namespace: null, name: 'c', wds: 'wds1', its: 'its1', ways: given };
  const { io } = fakeIo();
  return describeWorkload(view as never, styleFor(io.stdout, io, 'never'), false).filter((line) => / {6}/.test(line));
}

const several = { steps: ['See: kubectl get x', 'Or: kubectl get y'], next: 'kubectl get x' };

test('each next step is a line, once for all WECs that share them', () =>
  assert.deepEqual(stepsOf(several, several), ['      See: kubectl get x', '      Or: kubectl get y']));

test('a single command is printed last by the command, and not here', () => {
  const only = { steps: ['kubectl get x'], next: 'kubectl get x' };
  assert.deepEqual(stepsOf(only), []);
  assert.deepEqual(stepsOf(several, only).at(-1), '      kubectl get x');
});
