import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeWorkload } from '../../../../src/commands/workload/get.ts';
import { plain } from '../../support/fake-io.ts';

/** The lines below the head. */
function described(deliveries: object[], problems: object[] = []) {
  const blockedAt = {
    stage: 'applied',
    state: 'failed',
    why: 'refused',
    since: '1970-01-01T00:00:00Z',
  };
  const given = deliveries.map((way, index) => ({
    ...{ policy: 'shop', wec: `w${index + 1}`, stages: [], blockedAt, steps: [], next: null },
    ...way,
  }));
  const of = { kind: 'ConfigMap', namespace: null, name: 'c', wds: 'wds1', its: 'its1' };
  const view = { ...of, deliveries: given, problems };
  const [, ...lines] = describeWorkload(view as never, 300_000, plain, false);
  return lines;
}

const stepsOf = (...deliveries: object[]) =>
  described(deliveries).filter((line) => / {6}/.test(line));

const several = { steps: ['See: kubectl get x', 'Or: kubectl get y'], next: 'kubectl get x' };

test('a failure shows when it began; warnings follow', () => {
  const problem = {
    problem: 'WEC w2 is not selected.',
    severity: 'warning',
    details: [],
    steps: ['label it'],
  };
  assert.deepEqual(described([{ createOnly: true }], [problem]), [
    '  ✗ w1   shop   refused (began 5m ago)',
    '  Policy shop sends it with createOnly: a WEC that has it keeps its version',
    '! WEC w2 is not selected.',
    '    label it',
  ]);
});

test('each next step is a line, once for all WECs that share them', () =>
  assert.deepEqual(stepsOf(several, several), [
    '      See: kubectl get x',
    '      Or: kubectl get y',
  ]));

test('a single command is printed last by the command, and not here', () => {
  const only = { steps: ['kubectl get x'], next: 'kubectl get x' };
  assert.deepEqual(stepsOf(only), []);
  assert.deepEqual(stepsOf(several, only).at(-1), '      kubectl get x');
});
