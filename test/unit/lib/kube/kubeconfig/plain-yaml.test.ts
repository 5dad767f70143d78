import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { parseYaml } from '../../../../../src/lib/kube/kubeconfig/document.ts';
import { readPlainYaml } from '../../../../../src/lib/kube/kubeconfig/plain-yaml.ts';

const byKubectl = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTg==
    server: https://127.0.0.1:6443
  name: kind-cluster1
- cluster:
    insecure-skip-tls-verify: true
    server: https://its1.localtest.me:9443
  name: its1-cluster
contexts:
- context:
    cluster: kind-cluster1
    extensions:
    - extension:
        data:
          controlplane-name: its1
      name: kubeflex
    user: ""
  name: e1
- context:
    cluster: its1-cluster
  name: arn:aws:eks:eu-west-1:0123:cluster/a
current-context: kind-cluster1
kind: Config
preferences: {}
users:
- name: kind-cluster1
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args:
      - --region
      - eu-west-1
      command: aws
      env: null
`;

const otherForms: Record<string, string> = {
  'nothing at all': '',
  JSON: '{"clusters": []}',
  'a comment': 'a: b # c\n',
  'a document of several': '---\na: b\n',
  'a number': 'name: 12\n',
  'a boolean of YAML 1.1': 'name: no\n',
  'a key that is one': 'on: a\n',
  'an escape': 'name: "a\\tb"\n',
  'a key twice': 'a: b\na: c\n',
  'a text of two lines': 'a: b\n  c\n',
  'a block of text': 'a: |\n  b\n',
  'an anchor': 'a: &b c\n',
  'a tag': 'a: !!str c\n',
  'a tab': 'a:\n\tb: c\n',
  'a byte order mark': '\ufeffa: b\n',
  'lines of Windows': 'a: b\r\n',
  'a key without a value of its depth': 'a:\n    b: c\n  d: e\n',
  'depth without end': '- '.repeat(100_000),
};

const wholly = (text: string) => parseYaml('test', text).content;

describe('a kubeconfig in the form of kubectl', () => {
  test('is parsed as by the yaml package', () => {
    assert.notEqual(readPlainYaml(byKubectl), undefined);
    assert.deepEqual(readPlainYaml(byKubectl), wholly(byKubectl));
    const deeper = stringify(wholly(byKubectl));
    assert.notEqual(deeper, byKubectl);
    assert.deepEqual(readPlainYaml(deeper), wholly(byKubectl));
  });
});

describe('another form is left to the yaml package', () => {
  for (const [what, text] of Object.entries(otherForms)) test(what, () => assert.equal(readPlainYaml(text), undefined));
});

test('parsed files match the yaml package', () => {
  const good = ['a', 'b-c', 'https://h:1', 'true', '""', '{}', 'null', '--x'];
  const odd = ['', '-', 'yes', 'a:', '1', '"q', 'a b', '~'];
  const word = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...good) }, fc.constantFrom(...odd));
  const indent = fc.constantFrom('', '', '', '  ', '  ', '    ', ' ');
  const key = fc.constantFrom('a: ', 'b: ', 'c: ', 'd:', 'on: ', ' ', '');
  const line = fc.tuple(indent, fc.constantFrom('', '', '- ', '- - '), key, word).map((parts) => parts.join(''));
  let read = 0;
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), (lines) => {
      const text = `${lines.join('\n')}\n`;
      const plain = readPlainYaml(text);
      if (plain === undefined) return;
      read += 1;
      assert.deepEqual(plain, wholly(text), text);
    }),
    { numRuns: 5000 },
  );
  assert.ok(read > 100, `only ${read} texts were plain`);
});

test('files that differ from a plain one by a few characters match the yaml package, or are left to it', () => {
  const position = fc.integer({ min: 0, max: byKubectl.length - 1 });
  const change = fc.tuple(
    position,
    fc.nat({ max: 3 }),
    fc.constantFrom('', ' ', '\n', ':', '- ', '#', '"', "'", 'x: y', '\t', '1', '~', '{', '&a '),
  );
  let read = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 2 }), (changes) => {
      const text = changes.reduce(
        (whole, [at, gone, added]) => whole.slice(0, at) + added + whole.slice(at + gone),
        byKubectl,
      );
      const plain = readPlainYaml(text);
      if (plain === undefined) return;
      read += 1;
      assert.deepEqual(plain, wholly(text), text);
    }),
    { numRuns: 500 },
  );
  assert.ok(read > 20, `only ${read} texts were plain`);
});
