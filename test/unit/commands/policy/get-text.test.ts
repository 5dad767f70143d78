import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describePolicyView } from '../../../../src/commands/policy/get-text.ts';
import { styleFor } from '../../../../src/lib/terminal/style.ts';
import type { PolicyView } from '../../../../src/lib/workloads/delivery/policy-view.ts';
import type { DeliveryView } from '../../../../src/lib/workloads/delivery/view.ts';
import { asWritten, fakeIo } from '../../support/fake-io.ts';

const blocked = (state: 'waiting' | 'failed'): Partial<DeliveryView> => ({
  stage: 'wec',
  blockedAt: { stage: 'applied', state, why: `it is ${state}` } as DeliveryView['blockedAt'],
});
const deliveries = {
  done: { stage: 'available', done: true },
  waiting: blocked('waiting'),
  failed: blocked('failed'),
  notVisible: { stage: null },
} satisfies Record<string, Partial<DeliveryView>>;

type State = keyof typeof deliveries;

/** The line of an object in these states on wec1, wec2 and so on. */
function lineOf(...states: State[]): string | undefined {
  const wecs = states.map((_, index) => `wec${index + 1}`);
  const ways = states.map((state, index) => ({
    ...{ policy: 'p', wec: wecs[index] ?? null, done: false, stage: null, blockedAt: null },
    ...{ code: null, hint: null, next: null, stages: [], ...deliveries[state] },
  })) as DeliveryView[];
  const object = { kind: 'ConfigMap', group: '', namespace: 'demo', name: 'web', ways };
  const view: PolicyView = {
    ...{ name: 'p', wds: 'wds1', its: 'its1', wecs, binding: null, errors: [], objects: [object], notVisible: [] },
  };
  const { io } = fakeIo();
  return asWritten(describePolicyView(view, styleFor(io.stdout, io, 'never')))
    .find((line) => line.includes('ConfigMap demo/web'))
    ?.trim()
    .replace(/ {2,}/g, '  ');
}

describe('an object of a policy', () => {
  const symbolOf = (...states: State[]) => lineOf(...states)?.[0];

  test('has the symbol of its WEC that is worst off: failed, waiting, not visible, done', () => {
    const symbols = { failed: '✗', waiting: '•', notVisible: '?', done: '✓' };
    const states = Object.keys(symbols) as State[];
    for (const [rank, worse] of states.entries())
      for (const better of states.slice(rank)) {
        assert.equal(symbolOf(worse, better), symbols[worse], `${worse}, ${better}`);
        assert.equal(symbolOf(better, worse), symbols[worse], `${better}, ${worse}`);
      }
  });

  test('has no known state without a WEC', () => assert.equal(symbolOf(), '?'));

  test('has its stage on each of few WECs, and counts of many', () => {
    assert.equal(
      lineOf('waiting', 'notVisible', 'failed', 'done'),
      '✗ ConfigMap demo/web  applied  not visible  not applied  available',
    );
    const many: State[] = ['done', 'done', 'done', 'done', 'waiting', 'notVisible'];
    assert.equal(lineOf(...many, 'failed'), '✗ ConfigMap demo/web  4/7, 1 failed');
    assert.equal(lineOf(...many, 'done'), '• ConfigMap demo/web  5/7');
  });
});
