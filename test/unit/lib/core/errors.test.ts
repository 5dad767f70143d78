import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type ErrorCode,
  exitCodeOf,
  reportOf,
  StellarError,
  worstExitCode,
} from '../../../../src/lib/core/errors.ts';
import { advice } from '../../../../src/lib/core/next-step.ts';

const error = (code: ErrorCode) => new StellarError(code, code);
const withExitCode: Record<number, unknown> = {
  130: error('interrupted'),
  4: error('unreachable'),
  1: error('request-refused'),
  2: error('usage'),
  3: error('timeout'),
};

test('the exit code is 1 for a bug', () => assert.equal(exitCodeOf(new TypeError('x')), 1));

describe('the exit code of several names', () => {
  test('is 0 if all succeed', () => assert.equal(worstExitCode([]), 0));
  test('is the first that applies of 130, 4, 1, 3, regardless of the order of the names', () => {
    const order = [130, 4, 1, 3];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...order), { minLength: 1 }), (codes) => {
        assert.equal(
          worstExitCode(codes.map((code) => withExitCode[code])),
          order.find((code) => codes.includes(code)),
        );
      }),
    );
  });
  test('treats a bug as a failure', () =>
    assert.equal(worstExitCode([error('timeout'), new TypeError('x')]), 1));
});

test('documents contain code, message, details and steps, never the cause', () => {
  const full = new StellarError('not-a-hub', 'no hub', advice('look')).with({
    details: ['a'],
    cause: new Error('secret'),
  });
  assert.deepEqual(reportOf(full), {
    code: 'not-a-hub',
    message: 'no hub',
    details: ['a'],
    steps: ['look'],
  });
  assert.deepEqual(reportOf(error('usage')), { code: 'usage', message: 'usage' });
  assert.deepEqual(reportOf(new TypeError('x')), { code: 'internal', message: 'x' });
  assert.deepEqual(reportOf('thrown'), { code: 'internal', message: 'thrown' });
});
