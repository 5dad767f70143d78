import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { redactText } from '../../../../src/lib/core/text/redact.ts';
import { redact } from '../../../../src/lib/doctor/report-contents.ts';
import { base64 as packed } from '../../support/builders.ts';
import { canary, jwt, kubeconfig, privateKey } from '../../support/planted.ts';

const clean = (text: string) =>
  !text.includes(canary) && !text.includes(packed(canary).slice(0, 12));

// Whole reports: report.test.ts.
describe('redaction of a text removes', () => {
  const cases: Record<string, string> = {
    'a private key without its end': `begin\n${privateKey.slice(0, -40)}`,
    'a JWT in base64': `data: ${packed(jwt)} as`,
    'a kubeconfig in base64 twice': `config ${packed(packed(kubeconfig))} end`,
    'a kubeconfig in JSON in JSON': JSON.stringify({
      last: JSON.stringify({ 'client-key-data': canary, token: canary }),
    }),
    'a value on the next line': `a: b\npassword:\n  ${canary}\nc: d`,
    'a short name': `DB_PASS=${canary} MYSQL_PWD=${canary} APP_SECRET=${canary} {"pwd":"${canary}"}`,
    'a value with a quote in it': `password='it\\'s ${canary}'`,
    'a value after an arrow': `password => "${canary}"`,
    'a variable in YAML': `- name: DB_PASSWORD\n  value: ${canary}\n`,
    'a variable in JSON in JSON': JSON.stringify({
      last: JSON.stringify({ name: 'API_TOKEN', value: canary }),
    }),
  };
  for (const [what, text] of Object.entries(cases))
    test(what, () => {
      const left = redactText(text);
      assert.notEqual(left, text);
      assert.ok(clean(left), left);
      assert.doesNotMatch(left, /eyJ[a-z]|PRIVATE KEY-----\n?[A-Za-z0-9]/);
    });
});

test('of arguments stays what can be no secret, and of annotations what the installation writes', () => {
  const args = [
    ...[
      '/bin/mysql',
      'run',
      '-p',
      canary,
      `-p${canary}`,
      '--key',
      canary,
      `--key=${canary}`,
      '--from-literal',
      canary,
    ],
    ...[
      `app:${canary}@tcp(db:3306)/app`,
      '-c',
      `curl -u me:${canary} https://a`,
      '--v',
      '4',
      '--its-name=its1',
      '-v=2',
    ],
  ];
  const [gone, keys] = ['<removed>', ['/bin/mysql', 'run', '-p']];
  assert.deepEqual((redact({ args }) as { args: string[] }).args, [
    ...[...keys, gone, gone, '--key', gone, `--key=${gone}`, '--from-literal', gone],
    ...[gone, '-c', gone, '--v', '4', '--its-name=its1', '-v=2'],
  ]);
  const annotations = {
    'example.com/note': canary,
    'deployment.kubernetes.io/revision': '1',
    plain: canary,
  };
  const extra = { 'example.com/x': [canary], 'authentication.kubernetes.io/pod-name': ['a'] };
  assert.deepEqual(redact({ annotations, extra }), {
    annotations: { ...annotations, 'example.com/note': gone, plain: gone },
    extra: { ...extra, 'example.com/x': gone },
  });
  for (const text of [
    `mysql -p ${canary}`,
    `curl -u me:${canary} x`,
    `--key ${canary}`,
    `open me:${canary}@tcp(a)/b`,
  ])
    assert.ok(clean(redactText(text)), redactText(text));
});

test('useful text stays', () => {
  for (const text of [
    'failed to refresh token: unauthorized',
    'E1121 the ITS refused the bootstrap token: expired.',
    'rejected token\nI1121 next line: well',
    'secret="open-cluster-management-agent/hub-kubeconfig-secret" not found',
    'Failed to pull image "quay.io/open-cluster-management/registration@sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"',
    'x509: certificate signed by unknown authority (possibly because of "crypto/rsa: verification error")',
    'pods "cluster-manager-registration-controller-7b6c5d8f9c-x2x4z" is forbidden: User "system:open-cluster-management:cluster1:8f2c1c9e-5b7d-4b57-a8a4-4c4c8c4c0c5e" cannot get',
    '/apis/cluster.open-cluster-management.io/v1/managedclusters/cluster1?timeout=10s',
    'serviceAccountName: agent-registration-bootstrap, secretName: bootstrap-hub-kubeconfig',
    `-----BEGIN CERTIFICATE-----\n${packed('a certificate is public, and its text is not secret')}\n-----END CERTIFICATE-----`,
    packed('-----BEGIN CERTIFICATE REQUEST-----\nMIIBAA==\n-----END CERTIFICATE REQUEST-----\n'),
    'subject CN=system:open-cluster-management:cluster1,O=system:masters',
    'use --token, --its',
    'key="its1/cluster1" controller="ManagedCluster"',
    'GET https://registry.example:8443/v2/ocm@sha256:4f53cda1',
  ])
    assert.equal(redactText(text), text);
});

test('a plain word is a value in YAML, and a word in a sentence', () => {
  assert.equal(
    redactText('user:\n  token: hunter\n- password: hunter'),
    'user:\n  token: <removed>\n- password: <removed>',
  );
  assert.equal(redactText('it refused the token: expired'), 'it refused the token: expired');
});

test('of Secrets and ConfigMaps the keys stay, and of variables and arguments what is harmless', () => {
  const env = [
    { name: 'POD_NAMESPACE', value: 'x1' },
    { name: 'HTTPS_PROXY', value: 'http://proxy:3128' },
    { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } },
  ];
  assert.deepEqual(redact({ env, args: ['--v', '2', '--token', canary] }), {
    env,
    args: ['--v', '2', '--token', '<removed>'],
  });
  assert.deepEqual(redact({ kind: 'ConfigMap', data: { a: 'x1' } }), {
    kind: 'ConfigMap',
    data: { a: '<removed>' },
  });
  const [proxy, greeting] = [
    { name: 'HTTPS_PROXY', value: 'http://me:x1@proxy:3128' },
    { name: 'GREETING', value: 'x1' },
  ];
  assert.deepEqual(redact({ env: [proxy, greeting] }), {
    env: [env[1], { name: 'GREETING', value: '<removed>' }],
  });
});

test('what says where a secret is, and what only looks like one, stays', () => {
  const object = {
    volumes: [
      {
        name: 'v',
        secret: { secretName: 'hub-kubeconfig-secret', items: [{ key: 'a', path: 'b' }] },
      },
      { projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'its1' } }] } },
    ],
    imagePullSecrets: [{ name: 'pull' }],
    tolerations: [{ key: 'node', operator: 'Exists' }],
    topologyKey: 'kubernetes.io/hostname',
    clusterClaims: [{ name: 'id.k8s.io', value: 'cluster1' }],
    extra: { 'authentication.kubernetes.io/credential-id': ['JTI=1a', 'X509SHA256=2b'] },
    automountServiceAccountToken: false,
  };
  assert.deepEqual(redact(object), object);
});

test('what looks like a value may be the name of the next one', () => {
  for (const text of ['-P token:', 'password: token:', '--key password=', '-p -u', '-p --token'])
    assert.equal(redactText(`${text} ${canary}`).includes(canary), false, text);
});

test('redacted text is not redacted again, and the work grows with the length of a text, not with its square', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      const once = redactText(`${text} token: ${canary}`);
      assert.ok(!once.includes(canary));
      assert.equal(redactText(once), once);
    }),
  );
  // Of the processor, which other programs use as well.
  const { user } = process.cpuUsage();
  for (const piece of [
    'a',
    'token',
    'eyJ',
    '-',
    'A=\n',
    '-----BEGIN PRIVATE KEY-----',
    '"',
    'x.',
    'https://a:',
    'cookie: ',
    'name: token, value',
    'users:\n ',
    'a://@',
    'token:[',
    'authorization:',
    ' ',
    '\\n',
    'a\\n',
    '--password ',
    '--password, ',
    'a:',
    'ABC=',
  ])
    redactText(piece.repeat(262_144 / piece.length));
  // It takes about a second; with a square of any, a minute.
  const tookMs = process.cpuUsage({ user, system: 0 }).user / 1000;
  assert.ok(tookMs < 20_000, `${tookMs} ms`);
});
