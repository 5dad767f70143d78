import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withOneInterruption } from '../../../../src/commands/common/session.ts';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { stepsOf } from '../../support/steps.ts';

const interrupted = (name: string, step = 'again') => ({
  name,
  error: new StellarError('interrupted', 'Interrupted.', { next: [{ step }] }),
});
const failed = { name: 'c', error: new StellarError('request-denied', 'c was denied.') };

const told = (...results: Parameters<typeof withOneInterruption>[0]) =>
  withOneInterruption(results).map((error) => [error.code, error.message, stepsOf(error)]);

test('an interruption of several names is reported once, with the names', () =>
  assert.deepEqual(told(interrupted('b'), { name: 'done' }, failed, interrupted('a')), [
    ['interrupted', 'Interrupted while b, a were under way.', 'again'],
    ['request-denied', 'c was denied.', ''],
  ]));

test('the next steps of each name are kept apart', () =>
  assert.deepEqual(told(interrupted('a', 'remove a'), interrupted('b', 'remove b')), [
    ['interrupted', 'Interrupted while a was under way.', 'remove a'],
    ['interrupted', 'Interrupted while b was under way.', 'remove b'],
  ]));

test('a single name is not repeated', () =>
  assert.deepEqual(told(interrupted('a')), [['interrupted', 'Interrupted.', 'again']]));
