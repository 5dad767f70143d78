import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseDocument, stringify } from 'yaml';
import { parsePlainYaml, yamlOfGo } from '../../../../src/lib/core/formats.ts';

/** As kubectl writes it (sigs.k8s.io/yaml). */
const ofKubectl = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==
    extensions:
    - extension:
        last-update: Sat, 28 Nov 2026 07:00:00 UTC
        provider: minikube.sigs.k8s.io
      name: cluster_info
    insecure-skip-tls-verify: true
    server: https://127.0.0.1:6443
  name: kind-its1
contexts:
- context:
    cluster: kind-its1
    extensions:
    - extension:
        data:
          controlplane-name: its1
        metadata:
          creationTimestamp: 2026-11-28T10:31:48Z
          name: kubeflex
      name: kubeflex
    user: kind-its1
  name: kind-its1
current-context: kind-its1
kind: Config
preferences: {}
users:
- name: kind-its1
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      args:
      - --region
      - eu-west-1
      command: aws
      env: null
      provideClusterInfo: false
- name: robot
  user:
    password: "123"
    tokenFile: /var/run/token
`;

const withYaml = (text: string): unknown => {
  const document = parseDocument(text, yamlOfGo);
  return document.errors.length > 0 ? 'no YAML' : document.toJS();
};

describe('the plain part of YAML', () => {
  test('what kubectl writes is parsed as the yaml package does', () => {
    const parsed = parsePlainYaml(ofKubectl);
    assert.notEqual(parsed, undefined);
    assert.deepEqual(parsed, withYaml(ofKubectl));
  });

  test('what the yaml package writes, with indented lists, comments and empty lines', () => {
    const text = `# mine\n\n${stringify(withYaml(ofKubectl))}`;
    assert.deepEqual(parsePlainYaml(text), withYaml(ofKubectl));
  });

  for (const text of [
    '',
    'a: 1',
    'a: yes',
    'a: e1\nyes: b',
    'a: 2026-11-28',
    'a: b # comment',
    'a: "b\\n"',
    "a: 'b'",
    'a: &x b\nc: *x',
    'a: |\n  b',
    'a: b\n  c',
    'a: {b: c}',
    'a: b\na: c',
    'a:\n    b: c\n  d: e',
    'a:\n- b: c\n   d: e',
    'a: b: c',
    'a: b:',
    'a:\n- - b',
    '\ta: b',
    'a:\tb',
    'a: b\r\n',
    '---\na: b',
    '<<: a',
    '__proto__: a',
    '{"a": "b"}',
  ])
    test(`${JSON.stringify(text)} is left to the yaml package`, () => {
      assert.equal(parsePlainYaml(text), undefined);
    });

  test('of any lines, what is parsed is what the yaml package parses', () => {
    const plain = [
      'a: b',
      'a:',
      'b:',
      'c: null',
      '- a: b',
      '- a:',
      '- c',
      'x: {}',
      'd: "1 \' #"',
      'e: https://h:1/p',
      '# e',
    ];
    const odd = ['a : b', 'a: b ', '- ', '-', '- c: d', 'c: x: y', 'no: b', 'c: -x', 'c: --x', 'c: ~', 'c: a #b', ''];
    const line = fc.tuple(fc.constantFrom('', '  ', '    '), fc.constantFrom(...plain, ...plain, ...odd));
    let parsed = 0;
    const isSame = (lines: [string, string][]) => {
      const text = lines.map(([indent, content]) => indent + content).join('\n');
      const ours = parsePlainYaml(text);
      if (ours === undefined) return;
      parsed += 1;
      assert.deepEqual(ours, withYaml(text));
    };
    fc.assert(fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), isSame), { numRuns: 5000 });
    assert.ok(parsed > 100, `only ${parsed}`);
  });
});
