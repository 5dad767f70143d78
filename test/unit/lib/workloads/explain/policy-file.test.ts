import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePolicy } from '../../../../../src/lib/workloads/explain/policy-file.ts';

const policy = (spec: unknown, name: unknown = 'shop') =>
  JSON.stringify({ apiVersion: 'control.kubestellar.io/v1alpha1', kind: 'BindingPolicy', metadata: { name }, spec });

test('a policy is read from a file with other objects', () => {
  const spec = { clusterSelectors: [{ matchLabels: { a: 'b' } }], downsync: [{ resources: ['pods'] }] };
  assert.deepEqual(parsePolicy(`kind: Namespace\n---\n${policy(spec)}\n---\n`, 'f'), { name: 'shop', spec });
  const empty =
    'kind: BindingPolicy\nmetadata:\n  name: shop\nspec:\n  clusterSelectors:\n  downsync:\n  - namespaces:\n';
  assert.deepEqual(parsePolicy(empty, 'f').spec, { downsync: [{}] });
});

test('a file without a policy is reported as such, and nothing else fails', () => {
  const texts = [
    ...['', '5', '[]', 'a: [', '- &a 1\n- *b', 'kind: BindingPolicy', `${policy({})}\n---\n${policy({})}`],
    ...[policy({}, { a: 1 }), policy({}, ''), policy([]), policy('x'), policy({ clusterSelectors: 5 })],
    ...[{ clusterSelectors: [null] }, { clusterSelectors: [{ matchLabels: { a: 1 } }] }, { downsync: 'x' }].map(
      (spec) => policy(spec),
    ),
    ...[null, { namespaces: 7 }, { resources: [1] }, { objectSelectors: [{ matchExpressions: [{ key: 'a' }] }] }].map(
      (clause) => policy({ downsync: [clause] }),
    ),
  ];
  for (const text of texts)
    assert.throws(
      () => parsePolicy(text, 'f'),
      (error: { code?: string }) => error.code === 'usage',
      text,
    );
});
