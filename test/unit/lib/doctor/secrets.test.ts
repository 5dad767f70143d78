import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { redactText } from '../../../../src/lib/core/redact.ts';
import { Contents } from '../../../../src/lib/doctor/report-contents.ts';
import { redact } from '../../../../src/lib/doctor/report-redact.ts';
import { plantedSecrets } from '../../support/secrets.ts';

describe('a report shows none of 150 secrets', () => {
  test('which are that many, all different', () => {
    const held = new Set(plantedSecrets.map((each) => JSON.stringify(each.held)));
    assert.equal(held.size, plantedSecrets.length);
    assert.ok(held.size >= 150, `${held.size}`);
    assert.ok(plantedSecrets.filter(({ verdict }) => verdict === 'kept').length <= 5);
  });

  for (const { held, secret, verdict } of plantedSecrets)
    test(`${verdict}: ${JSON.stringify(held).slice(0, 90)}`, () => {
      const contents = new Contents();
      contents.addDocument(['document'], { held });
      if (typeof held === 'string') contents.addLog(['log'], held.split('\n'));
      for (const { path, content } of contents.files)
        assert.equal(content.includes(secret), verdict === 'kept', `${path}: ${content}`);
    });
});

describe('the values of environment variables', () => {
  const shown = (name: string) => (redact({ env: [{ name, value: 'x1' }] }) as { env: unknown[] }).env[0];

  test('are kept where the name is known to be harmless, and removed elsewhere', () => {
    for (const name of ['POD_NAMESPACE', 'HTTPS_PROXY', 'KUBERNETES_SERVICE_HOST', 'WDS_NAME', 'GOMEMLIMIT'])
      assert.deepEqual(shown(name), { name, value: 'x1' });
    for (const name of ['GREETING', 'greeting', 'spring.mail.login', 'PROXY', 'A'])
      assert.deepEqual(shown(name), { name, value: '<removed>' });
  });

  test('that are kept contain no password', () =>
    assert.deepEqual(redact({ env: { HTTPS_PROXY: 'http://me:Zugspitze@proxy:3128' } }), {
      env: { HTTPS_PROXY: 'http://proxy:3128' },
    }));

  test('are references: kept', () => {
    const env = [{ name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }];
    assert.deepEqual(redact({ env }), { env });
  });
});

test('what says where a secret is, and what only looks like one, stays', () => {
  const volumes = [
    { name: 'v', secret: { secretName: 'hub-kubeconfig-secret', defaultMode: 420, items: [{ key: 'a', path: 'b' }] } },
    { projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }] } },
  ];
  const object = {
    volumes,
    imagePullSecrets: [{ name: 'pull' }],
    tolerations: [{ key: 'node', operator: 'Exists' }],
    topologyKey: 'kubernetes.io/hostname',
    clusterClaims: [{ name: 'id.k8s.io', value: 'cluster1' }],
    extra: { 'authentication.kubernetes.io/credential-id': ['JTI=1a', 'X509SHA256=2b'] },
    automountServiceAccountToken: false,
  };
  assert.deepEqual(redact(object), object);
  for (const text of [
    'secret="open-cluster-management-agent/hub-kubeconfig-secret" not found',
    'imagePullSecret: open-cluster-management-image-pull-credentials',
    'subject CN=system:open-cluster-management:cluster1,O=system:masters',
    'GET https://registry.example:8443/v2/ocm@sha256:4f53cda1',
    'key="its1/cluster1" controller="ManagedCluster"',
    'it refused the password: wrong',
    'pull quay.io/ocm/registration@sha256:4f53cda18c2baa0c from https://quay.io',
  ])
    assert.equal(redactText(text), text);
});
