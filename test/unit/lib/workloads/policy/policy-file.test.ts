import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePolicy } from '../../../../../src/lib/workloads/policy/policy-file.ts';

const policy = (spec: unknown, name: unknown = 'shop') =>
  JSON.stringify({
    apiVersion: 'control.kubestellar.io/v1alpha1',
    kind: 'BindingPolicy',
    metadata: { name },
    spec,
  });

test('a policy is read from a file with other objects', () => {
  const spec = {
    clusterSelectors: [{ matchLabels: { a: 'b' } }],
    downsync: [{ resources: ['pods'] }],
  };
  assert.deepEqual(parsePolicy(`kind: Namespace\n---\n${policy(spec)}\n---\n`, 'f'), {
    name: 'shop',
    spec,
  });
  const empty =
    'kind: BindingPolicy\nmetadata:\n  name: shop\nspec:\n  clusterSelectors:\n  downsync:\n  - namespaces:\n';
  assert.deepEqual(parsePolicy(empty, 'f').spec, { downsync: [{}] });
});

test('an unknown field is refused at its line, with the nearest one', () => {
  const faultsOf = (text: string) => {
    try {
      parsePolicy(text, 'f.yaml');
    } catch (error) {
      return (error as { details: string[] }).details;
    }
    return [];
  };
  const head =
    'apiVersion: control.kubestellar.io/v1alpha1\nkind: BindingPolicy\nmetadata:\n  name: shop\n  uid: u\n';
  assert.deepEqual(faultsOf(`${head}spec:\n  clusterSelector:\n  - matchLabels: { a: b }\n`), [
    'f.yaml:7:3: spec.clusterSelector is not a field of a BindingPolicy; the nearest one is clusterSelectors.',
  ]);
  assert.deepEqual(
    faultsOf(`${head}spec:\n  downsync:\n  - objectSelector: []\n    resources: [pods, no]\n`),
    [
      'f.yaml:8:5: spec.downsync[0].objectSelector is not a field of a BindingPolicy; the nearest one is objectSelectors.',
      'f.yaml:9:23: spec.downsync[0].resources[1] must be a text: write "no".',
    ],
  );
  assert.deepEqual(
    faultsOf(`${head}spec:\n  downsync: []\n  downsync: []\nstatus: { errors: 5 }\n`),
    ['f.yaml:8:3: It is not YAML: Map keys must be unique.'],
  );
  const shared =
    '  clusterSelectors: &all\n  - matchLabels: { a: b }\n  downsync:\n  - objectSelectors: *all\n';
  const [selector] =
    parsePolicy(`${head}spec:\n${shared}`, 'f').spec.downsync?.[0]?.objectSelectors ?? [];
  assert.deepEqual(selector, { matchLabels: { a: 'b' } });
});

test('an alias of what contains it is refused', () => {
  const cyclic =
    'kind: BindingPolicy\nmetadata: { name: shop }\nspec: &a\n  downsync:\n  - objectSelectors: *a\n';
  assert.throws(() => parsePolicy(cyclic, 'f'), {
    code: 'usage',
    message: 'f has YAML aliases that cannot be read.',
  });
});

test('a file without a policy is reported as such, and nothing else fails', () => {
  const texts = [
    ...[
      '',
      '5',
      '[]',
      'a: [',
      '- &a 1\n- *b',
      'kind: BindingPolicy',
      `${policy({})}\n---\n${policy({})}`,
    ],
    ...[
      policy({}, { a: 1 }),
      policy({}, ''),
      policy([]),
      policy('x'),
      policy({ clusterSelectors: 5 }),
    ],
    ...[
      { clusterSelectors: [null] },
      { clusterSelectors: [{ matchLabels: { a: 1 } }] },
      { downsync: 'x' },
    ].map((spec) => policy(spec)),
    ...[
      null,
      { namespaces: 7 },
      { resources: [1] },
      { objectSelectors: [{ matchExpressions: [{ key: 'a' }] }] },
    ].map((clause) => policy({ downsync: [clause] })),
  ];
  for (const text of texts)
    assert.throws(
      () => parsePolicy(text, 'f'),
      (error: { code?: string }) => error.code === 'usage',
      text,
    );
});
