import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { KubeObject, Secret } from '../../../../src/lib/kube/client/objects.ts';
import {
  bootstrapSecret,
  klusterlet,
  readHubKubeconfig,
} from '../../../../src/lib/ocm/agent/klusterlet-agent.ts';
import {
  agentNamespaceObject,
  operatorNamespaceObject,
  operatorRoles,
  operatorWorkload,
  pullSecret,
} from '../../../../src/lib/ocm/agent/klusterlet-operator.ts';
import { klusterletCrd } from '../../../../src/lib/wecs/join/install-klusterlet.ts';
import { base64 } from '../../support/builders.ts';

const settings = {
  clusterName: 'cluster1',
  mode: 'Singleton',
  imageRegistry: 'quay.io/open-cluster-management',
  tag: 'v1.3.1',
} as const;
// biome-ignore lint/suspicious/noExplicitAny: a test may look anywhere
const dig = (object: KubeObject): any => object;

describe("the operator's permissions", () => {
  const [role, binding] = operatorRoles('v1.3.1') as [KubeObject, KubeObject];
  const recorded: unknown[] = JSON.parse(
    readFileSync(path.join(import.meta.dirname, 'fixtures/operator-rules.json'), 'utf8'),
  );
  for (const [index, rule] of recorded.entries()) {
    test(`are OCM's own, rule ${index + 1}`, () => assert.deepEqual(dig(role).rules[index], rule));
  }
  test('exceed those of 1.3.1 by one only in later versions, and in images without a version', () => {
    assert.equal(dig(role).rules.length, recorded.length);
    for (const tag of ['v1.4.0', 'latest'])
      assert.deepEqual(dig(operatorRoles(tag)[0] as KubeObject).rules.at(-1).resources, [
        'networkpolicies',
      ]);
  });
  test('are bound to its service account, the one that it runs as', () => {
    assert.deepEqual(dig(binding).roleRef, {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: role.metadata.name,
    });
    const [account, deployment] = operatorWorkload('image') as [KubeObject, KubeObject];
    assert.deepEqual(dig(binding).subjects, [
      {
        kind: 'ServiceAccount',
        name: account.metadata.name,
        namespace: account.metadata.namespace,
      },
    ]);
    assert.equal(dig(deployment).spec.template.spec.serviceAccountName, account.metadata.name);
  });
});

describe('the operator', () => {
  const [account, deployment] = operatorWorkload('example.com/registration-operator:v1') as [
    KubeObject,
    KubeObject,
  ];
  const pod = dig(deployment).spec.template;
  test('runs the given image', () =>
    assert.equal(pod.spec.containers[0].image, 'example.com/registration-operator:v1'));
  test('is selected by labels that its pods have', () => {
    for (const [key, value] of Object.entries(dig(deployment).spec.selector.matchLabels))
      assert.equal(pod.metadata.labels[key], value);
  });
  test('pulls with the pull secret, which has the given content', () => {
    const secret = pullSecret('{"auths":{}}') as Secret;
    assert.deepEqual(dig(account).imagePullSecrets, [{ name: secret.metadata.name }]);
    assert.equal(secret.metadata.namespace, account.metadata.namespace);
    assert.equal(
      Buffer.from(secret.data?.['.dockerconfigjson'] ?? '', 'base64').toString(),
      '{"auths":{}}',
    );
  });
  test('mounts existing volumes', () => {
    const volumes = pod.spec.volumes.map(({ name }: { name: string }) => name);
    for (const { name } of pod.spec.containers[0].volumeMounts) assert.ok(volumes.includes(name));
  });
});

test('every object is in a created namespace', () => {
  const made = [operatorNamespaceObject, agentNamespaceObject].map(({ metadata }) => metadata.name);
  const secret = bootstrapSecret(
    { server: 'https://h', certificateAuthority: undefined, proxyUrl: undefined },
    't',
  );
  for (const { metadata } of [...operatorWorkload('i'), pullSecret('{}'), secret])
    assert.ok(made.includes(metadata.namespace ?? ''));
});

describe('the Klusterlet', () => {
  const externalServerURLs = [{ url: 'https://c1-control-plane:6443' }];
  const { spec } = dig(klusterlet(settings, externalServerURLs));
  test('has every field of the recorded one set', () => {
    // live/joined-objects, from OCM's own definition with its defaults
    assert.deepEqual(spec, {
      clusterName: 'cluster1',
      namespace: 'open-cluster-management-agent',
      deployOption: { mode: 'Singleton' },
      externalServerURLs,
      imagePullSpec: 'quay.io/open-cluster-management/registration-operator:v1.3.1',
      registrationImagePullSpec: 'quay.io/open-cluster-management/registration:v1.3.1',
      workImagePullSpec: 'quay.io/open-cluster-management/work:v1.3.1',
      resourceRequirement: { type: 'Default' },
      registrationConfiguration: {
        bootstrapKubeConfigs: { type: 'None' },
        clientCertExpirationSeconds: 31536000,
        featureGates: [
          { feature: 'AddonManagement', mode: 'Enable' },
          { feature: 'ClusterClaim', mode: 'Enable' },
        ],
        kubeAPIQPS: 50,
        kubeAPIBurst: 100,
        registrationDriver: { authType: 'csr' },
      },
    });
  });
  test('is of the defined kind', () => {
    const { group, names, versions } = dig(klusterletCrd()).spec;
    const object = klusterlet(settings);
    assert.equal(object.apiVersion, `${group}/${versions[0].name}`);
    assert.equal(object.kind, names.kind);
    assert.equal(klusterletCrd().metadata.name, `${names.plural}.${group}`);
  });
  test('has no field pruned', () => {
    const { spec: anySpec, status } = dig(klusterletCrd()).spec.versions[0].schema.openAPIV3Schema
      .properties;
    for (const part of [anySpec, status])
      assert.equal(part['x-kubernetes-preserve-unknown-fields'], true);
  });
});

describe('the bootstrap secret', () => {
  const hub = fc.record({
    server: fc.webUrl({ validSchemes: ['https'] }).map((url) => url.replace(/\/+$/, '')),
    certificateAuthority: fc.option(fc.string({ minLength: 1, unit: 'binary-ascii' }), {
      nil: undefined,
    }),
    proxyUrl: fc.option(fc.webUrl(), { nil: undefined }),
  });
  test('is read as written', () => {
    fc.assert(
      fc.property(hub, fc.string({ minLength: 1 }), (connection, token) =>
        assert.deepEqual(readHubKubeconfig(bootstrapSecret(connection, token) as Secret), {
          ...connection,
          token,
          spelled: connection.server,
        }),
      ),
      // What YAML 1.1, as OCM reads it, takes for a boolean, a number or nothing.
      {
        examples: ['n', 'yes', '0o7', '1_0', '~', 'null', '1e3', '2026-11-24'].map((token) => [
          { server: 'https://h', certificateAuthority: undefined, proxyUrl: undefined },
          token,
        ]) as never,
      },
    );
  });
  test('is not guessed if it cannot be read', () => {
    const secret = (kubeconfig: string): Secret => ({
      metadata: { name: 's' },
      data: { kubeconfig: base64(kubeconfig) },
    });
    assert.equal(readHubKubeconfig(undefined), undefined);
    assert.equal(readHubKubeconfig({ metadata: { name: 's' } }), undefined);
    for (const text of ['', 'a: [', 'hello', 'clusters: []', 'clusters: [{cluster: {server: 5}}]'])
      assert.equal(readHubKubeconfig(secret(text)), undefined, text);
  });
  test("is also read if it is an agent's own, without a token", () => {
    const own =
      'clusters: [{name: hub, cluster: {server: "https://h/", certificate-authority-data: UEVN}}]\nusers: [{name: default-auth, user: {client-certificate: tls.crt}}]\n';
    assert.deepEqual(
      readHubKubeconfig({ metadata: { name: 's' }, data: { kubeconfig: base64(own) } }),
      {
        server: 'https://h',
        spelled: 'https://h/',
        certificateAuthority: 'PEM',
        proxyUrl: undefined,
        token: undefined,
      },
    );
  });
});
