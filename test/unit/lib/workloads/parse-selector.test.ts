import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseLabelSelector } from '../../../../src/lib/policies/create-policy.ts';
import { matches } from '../../../../src/lib/workloads/selection/label-selectors.ts';

describe('a label selector is parsed as by kubectl:', () => {
  for (const [text, expected] of Object.entries({
    '': {},
    'app=web': { matchLabels: { app: 'web' } },
    'app==web,tier=front': { matchLabels: { app: 'web', tier: 'front' } },
    'app!=web': { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] },
    'env in (a, b),app=web': {
      matchLabels: { app: 'web' },
      matchExpressions: [{ key: 'env', operator: 'In', values: ['a', 'b'] }],
    },
    'env notin (a)': { matchExpressions: [{ key: 'env', operator: 'NotIn', values: ['a'] }] },
    'example.com/env,!old': {
      matchExpressions: [
        { key: 'example.com/env', operator: 'Exists' },
        { key: 'old', operator: 'DoesNotExist' },
      ],
    },
    'empty=': { matchLabels: { empty: '' } },
  }))
    test(JSON.stringify(text), () => assert.deepEqual(parseLabelSelector(text), expected));

  for (const text of ['a=b=c', 'app=not valid', 'a,,b', 'env in a', '=b', 'a=b,a=c', 'a in ()x'])
    test(`${JSON.stringify(text)} is rejected`, () =>
      assert.throws(() => parseLabelSelector(text), { code: 'usage' }));

  test('the empty one selects everything', () => assert.ok(matches(parseLabelSelector(''), {})));
});
