import assert from 'node:assert/strict';
import test from 'node:test';
import { parseQuantity } from '../../../../src/lib/kube/quantity.ts';

test('quantities are read as Kubernetes writes them', () => {
  const all = { '2m': 0.002, '4': 4, '1.5': 1.5, '1e3': 1000, '12E': 12e18, '1k': 1000, '16Mi': 16 * 2 ** 20 };
  for (const [text, number] of Object.entries({ ...all, '1.5Gi': 1.5 * 2 ** 30, '500000n': 0.0005 }))
    assert.equal(parseQuantity(text), number, text);
  assert.equal(parseQuantity(undefined), 0);
});
