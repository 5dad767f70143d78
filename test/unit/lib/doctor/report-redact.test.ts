import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { redactText } from '../../../../src/lib/core/redact.ts';
import { redact, redactJson } from '../../../../src/lib/doctor/report-redact.ts';
import { canary, jwt, kubeconfig, privateKey } from '../../support/planted.ts';

const packed = (text: string) => Buffer.from(text).toString('base64');
const clean = (text: string) => !text.includes(canary) && !text.includes(packed(canary).slice(0, 12));

describe('redaction of a text removes', () => {
  const cases: Record<string, string> = {
    'a JWT': `authenticated by ${jwt} as`,
    'a JWT that was cut': `authenticated by ${jwt.slice(0, 60)}`,
    'a JWT in base64': `data: ${packed(jwt)} as`,
    'a private key': `begin\n${privateKey}end`,
    'a private key in one line of JSON': JSON.stringify({ log: privateKey }),
    'a private key without its end': `begin\n${privateKey.slice(0, -40)}`,
    'a private key without its beginning': `${privateKey.split('\n').slice(1).join('\n')}end`,
    'a private key in base64': `key: ${packed(privateKey)} end`,
    'a kubeconfig': `config:\n${kubeconfig}`,
    'a kubeconfig in base64': `config ${packed(kubeconfig)} end`,
    'a kubeconfig in base64 twice': `config ${packed(packed(kubeconfig))} end`,
    'a kubeconfig in JSON': JSON.stringify({
      token: canary,
      'client-key-data': canary,
      'certificate-authority-data': canary,
    }),
    'a kubeconfig in JSON in JSON': JSON.stringify({
      last: JSON.stringify({ 'client-key-data': canary, token: canary }),
    }),
    'a bearer token': `Authorization: Bearer ${canary}.x`,
    'basic authentication': `header "Basic ${packed(`user:${canary}`)}"`,
    'a password in a URL': `GET https://user:${canary}@registry.example/v2`,
    'a value on the next line': `a: b\npassword:\n  ${canary}\nc: d`,
    'a block of YAML': `a: b\npassword: |\n  ${canary}\n  ${canary}\nc: d`,
    'credentials of a registry': JSON.stringify({ auths: { 'quay.io': { auth: packed(`user:${canary}`) } } }),
    'a header of a dump': `Cookie: session=${canary}; X-Auth: ${canary}`,
    'the value of a flag': `exec --hub-token=${canary} --password ${canary} --v=2`,
    'several cookies': `Set-Cookie: a=1; session=${canary}; Path=/`,
    'authentication by another scheme': `Authorization: Token ${canary}`,
    'headers as Go prints them': `map[X-Auth-Token:[${canary}] Authorization:[ApiKey ${canary}]]`,
    'a list in JSON': JSON.stringify({ token: [canary, canary] }),
    'a token in a URL': `GET https://${canary}@registry.example/v2`,
    'a password with an @ in a URL': `GET https://user:a@${canary}@registry.example/v2`,
    'the user of curl': `curl -u admin:${canary} https://registry.example`,
    'a short name': `DB_PASS=${canary} MYSQL_PWD=${canary} APP_SECRET=${canary} {"pwd":"${canary}"}`,
    'a value with a quote in it': `password='it\\'s ${canary}'`,
    'a value after an arrow': `password => "${canary}"`,
    'a variable in YAML': `- name: DB_PASSWORD\n  value: ${canary}\n`,
    'a variable in JSON': JSON.stringify({ name: 'DB_PASSWORD', value: canary }),
    'a variable in JSON in JSON': JSON.stringify({ last: JSON.stringify({ name: 'API_TOKEN', value: canary }) }),
    'the value of a variable': `DB_PASSWORD=${canary} API_KEY="${canary} ${canary}"`,
  };
  for (const [what, text] of Object.entries(cases))
    test(what, () => {
      const left = redactText(text);
      assert.notEqual(left, text);
      assert.ok(clean(left), left);
      assert.doesNotMatch(left, /eyJ[a-z]|PRIVATE KEY-----\n?[A-Za-z0-9]/);
    });
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
  ])
    assert.equal(redactText(text), text);
});

test('in embedded JSON, values in secret places are removed; the rest keeps its form', () => {
  const held = {
    kind: 'ConfigMapList',
    items: [{ data: { a: canary } }, { kind: 'Secret', stringData: { b: canary } }],
  };
  const left = redact({ annotations: { original: JSON.stringify(held) } });
  assert.ok(clean(JSON.stringify(left)), JSON.stringify(left));
  const log = '{"level": "info", "id": 12345678901234567890}';
  assert.equal(redactJson(log), log);
  assert.equal(redactJson('{ no JSON'), '{ no JSON');
});

test('what only is a secret as an argument of a flag, and what WECs return of objects, is removed', () => {
  const args = ['curl', '-u', `admin:${canary}`, '--key', canary, `--from-literal=k=${canary}`];
  const statusFeedback = { values: [{ name: 'status', fieldValue: { string: canary } }] };
  const results = [{ name: 'r', columnNames: ['c'], rows: [{ columns: [{ string: canary }] }] }];
  const left = JSON.stringify(redact({ args, resourceStatus: { manifests: [{ statusFeedback }] }, results }));
  assert.ok(clean(left), left);
  assert.match(left, /"curl","-u","<removed>"/);
});

test('a plain word is a value in YAML, and a word in a sentence', () => {
  assert.equal(
    redactText('user:\n  token: hunter\n- password: hunter'),
    'user:\n  token: <removed>\n- password: <removed>',
  );
  assert.equal(redactText('it refused the token: expired'), 'it refused the token: expired');
});

test('in objects the same is removed, and contents of Secrets and ConfigMaps anywhere', () => {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    type: 'Opaque',
    data: { a: packed(canary) },
    stringData: { b: canary },
  };
  const object = {
    kind: 'PostCreateHook',
    metadata: {
      name: 'hook',
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(secret),
        note: `token: ${canary}`,
      },
      managedFields: [{ manager: canary }],
    },
    spec: {
      templates: [secret, { kind: 'ConfigMap', data: { kubeconfig }, binaryData: { b: packed(canary) } }],
      containers: [
        {
          args: ['--token', canary, '--v', '2', `--hub-password=two words ${canary}`],
          env: [
            { name: 'DB_PASSWORD', value: canary },
            { name: 'DB_PASS', value: canary },
            { name: 'CONFIG', value: kubeconfig },
            { name: 'ZONE', value: 'eu-1' },
          ],
        },
      ],
      vars: { token: canary, clientSecret: canary, password: [canary] },
    },
  };
  const left = redact(object) as typeof object;
  const text = JSON.stringify(left);
  assert.ok(clean(text), text);
  assert.deepEqual(left.spec.templates[0]?.data, { a: '<removed>' });
  assert.deepEqual(left.spec.containers[0]?.env[3], { name: 'ZONE', value: 'eu-1' });
  assert.deepEqual(left.spec.containers[0]?.args.slice(2, 4), ['--v', '2']);
  assert.deepEqual(Object.keys(left.metadata.annotations), ['note']);
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
    '-u a',
    'a://@',
    'token:[',
    'authorization:',
    ' ',
    '\\n',
    'a\\n',
    `${'A'.repeat(64)}\n`,
    'mysql -',
    'password ',
    'a:',
    'ABC=',
    'https://a.webhook.office.com',
  ])
    redactText(piece.repeat(262_144 / piece.length));
  // It takes about a second; with a square, minutes.
  const tookMs = process.cpuUsage({ user, system: 0 }).user / 1000;
  assert.ok(tookMs < 60_000, `${tookMs} ms`);
});
