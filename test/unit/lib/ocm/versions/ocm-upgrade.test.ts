import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  Deployment,
  KubeObject,
  PolicyRule,
} from '../../../../../src/lib/kube/client/objects.ts';
import {
  changeOperator,
  checkUpgrade,
  ensureRequirements,
  operatorImage,
  toVersion,
} from '../../../../../src/lib/ocm/versions/ocm-upgrade.ts';
import { MemoryCluster } from '../../../support/space-builders.ts';

const hub = 'hub';

function cluster(rules: PolicyRule[], spec: object): MemoryCluster {
  const role = {
    kind: 'ClusterRole',
    metadata: { name: 'cluster-manager', uid: 'r', resourceVersion: '1' },
    rules,
  };
  const schema = { openAPIV3Schema: { properties: { spec } } };
  const crd = {
    kind: 'CustomResourceDefinition',
    metadata: {
      name: 'clustermanagers.operator.open-cluster-management.io',
      uid: 'c',
      resourceVersion: '2',
    },
    spec: { versions: [{ name: 'v1', schema }] },
  };
  return new MemoryCluster([role, crd] as KubeObject[]);
}

test('an upgrade adds the rights of all versions up to its own, and keeps what is there', async () => {
  const own = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
  const inMemory = cluster([own], { 'x-kubernetes-preserve-unknown-fields': true });
  assert.equal(await ensureRequirements(inMemory.kube, hub, '1.2.1'), true);
  assert.deepEqual(inMemory.writes, ['merge ClusterRole cluster-manager']);
  const [{ metadata, rules }] = inMemory.bodies as [{ metadata: object; rules: PolicyRule[] }];
  assert.deepEqual(metadata, { uid: 'r', resourceVersion: '1' });
  assert.deepEqual(rules[0], own);
  const names = rules.flatMap(({ resourceNames = [] }) => resourceNames);
  assert.ok(
    names.includes('cluster-import-config') && names.includes('addon-webhook-serving-cert'),
    names.join(),
  );
  const again = cluster(rules, { 'x-kubernetes-preserve-unknown-fields': true });
  assert.equal(await ensureRequirements(again.kube, hub, '1.2.1'), false);
  assert.deepEqual(again.writes, []);
});

test('a rule for all, or without names, has the rights of those with names', async () => {
  const everything = cluster([{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }], {});
  assert.equal(await ensureRequirements(everything.kube, hub, '1.3.1'), false);
  const narrow = {
    apiGroups: [''],
    resources: ['secrets'],
    verbs: ['*'],
    resourceNames: ['signer-secret'],
  };
  assert.equal(await ensureRequirements(cluster([narrow], {}).kube, hub, '1.1.0'), true);
});

test('an upgrade opens the fields that the definition lacks, and no others', async () => {
  const inMemory = cluster([{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }], {
    properties: {
      deployOption: {
        properties: {
          mode: {},
          hosted: { properties: { registrationWebhookConfiguration: { properties: {} } } },
        },
      },
      registrationConfiguration: { properties: { featureGates: {} } },
    },
  });
  assert.equal(await ensureRequirements(inMemory.kube, hub, '1.3.1'), true);
  const open = { 'x-kubernetes-preserve-unknown-fields': true };
  const opened = {
    properties: {
      deployOption: {
        properties: {
          mode: {},
          default: open,
          hosted: {
            properties: {
              registrationWebhookConfiguration: { properties: { bindConfiguration: open } },
              workWebhookConfiguration: open,
            },
          },
        },
      },
      registrationConfiguration: {
        properties: { featureGates: {}, importerConfiguration: open, registrationDrivers: open },
      },
      serverConfiguration: open,
      placementConfiguration: open,
    },
  };
  const schema = { openAPIV3Schema: { properties: { spec: opened } } };
  assert.deepEqual(inMemory.bodies, [
    { metadata: { uid: 'c', resourceVersion: '2' }, spec: { versions: [{ name: 'v1', schema }] } },
  ]);
});

test('the operator and what it gives to agents change together', async () => {
  const env = [
    { name: 'POD_NAME', value: 'x' },
    { name: 'AGENT_IMAGE', value: 'q.io/o/registration-operator:v1.0.0' },
  ];
  const sidecar = { name: 'istio-proxy', image: 'docker.io/istio/proxyv2:1.26' };
  const containers = [
    sidecar,
    {
      name: 'registration-operator',
      image: 'q.io/o/registration-operator:v1.0.0',
      env,
      args: ['hub'],
    },
  ];
  const namespace = 'open-cluster-management';
  const metadata = { name: 'cluster-manager', namespace, uid: 'd', resourceVersion: '3' };
  const operator = {
    kind: 'Deployment',
    metadata,
    spec: { template: { spec: { containers } } },
  } as unknown as Deployment;
  const inMemory = new MemoryCluster([operator]);
  const image = toVersion('1.3.1', undefined)('q.io/o/registration-operator:v1.0.0', '');
  await changeOperator(inMemory.kube, operator, image);
  assert.equal(operatorImage(operator), 'q.io/o/registration-operator:v1.0.0');
  const changed = { ...containers[1], image, env: [env[0], { name: 'AGENT_IMAGE', value: image }] };
  assert.deepEqual(inMemory.bodies, [
    {
      metadata: { uid: 'd', resourceVersion: '3' },
      spec: { template: { spec: { containers: [sidecar, changed] } } },
    },
  ]);
});

test('only tags change, unless a registry is given', () => {
  assert.equal(toVersion('1.3.1', undefined)('q.io/o/work:v1.0.0', 'work'), 'q.io/o/work:v1.3.1');
  assert.equal(
    toVersion('v1.2.0', 'r.io/x')('q.io:5000/o/work@sha256:0', 'work'),
    'r.io/x/work:v1.2.0',
  );
  assert.equal(toVersion('v1.2.0', 'r.io/x')(undefined, 'work'), 'r.io/x/work:v1.2.0');
  for (const image of [
    'q.io/o/work@sha256:0',
    'q.io/o/work:v1.0.0@sha256:0',
    'q.io/o/work:latest',
    'q.io/o/work',
  ])
    assert.throws(
      () => toVersion('1.3.1', undefined)(image, 'work'),
      /not named by a version.*Nothing was written/,
    );
});

test('versions that are not known, and lower ones, are refused', () => {
  for (const to of ['1.9.0', '0.14.0', '2.0.0', 'latest', '1.3'])
    assert.throws(() => checkUpgrade('x runs', undefined, to), { code: 'usage' });
  assert.throws(() => checkUpgrade('x runs', '1.3.1', '1.2.0'), { code: 'version-differs' });
  assert.throws(
    () => checkUpgrade('x runs', '0.13.3', '1.2.0'),
    /x runs OCM 0\.13\.3; stellarctl upgrades from 0\.15 on/,
  );
  for (const from of ['0.15.2', '1.0.0', '1.3.1', 'sha256:0', undefined])
    checkUpgrade('x runs', from, '1.3.1');
});
