import '../../support/environment.ts';
import assert from 'node:assert/strict';
import test from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { wecNameOf, withNameNotes } from '../../../../src/lib/fleet/export.ts';
import {
  importArgoCd,
  importKarmada,
  importKubeconfig,
} from '../../../../src/lib/fleet/import-argocd.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { missing } from '../../../../src/lib/kube/client/missing.ts';
import type { Resource } from '../../../../src/lib/kube/client/objects.ts';
import type { SelectedContext } from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { base64 } from '../../support/builders.ts';

/** A cluster with these lists, and a UID of kube-system. */
function cluster(context: string, lists: Record<string, object[]>, uid?: string): Kube {
  return {
    cluster: { context, server: `https://${context}` },
    list: async ({ plural }: Resource, { namespace = '', labelSelector = '' } = {}) =>
      lists[[plural, namespace, labelSelector].filter(Boolean).join(' ')] ?? missing,
    get: async ({ plural }: Resource, name: string) =>
      plural === 'namespaces' && name === 'kube-system' && uid
        ? { metadata: { name, uid } }
        : lists[plural]?.[0],
    now: () => Date.now(),
  } as unknown as Kube;
}

const away = (context: string): Kube => {
  const fail = async () => {
    throw new StellarError('unreachable', 'It does not answer.');
  };
  return { ...cluster(context, {}), list: fail, get: fail } as unknown as Kube;
};

const candidate = (name: string, kube: Kube) => ({ name, kube });
const authority = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

const secret = (data: Record<string, string>, labels: Record<string, string> = {}) => ({
  metadata: {
    name: 'cluster-1',
    labels: { 'argocd.argoproj.io/secret-type': 'cluster', ...labels },
  },
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
});

const context = (name: string, server: string): SelectedContext =>
  ({
    name,
    server,
    cluster: { server, 'certificate-authority-data': base64(authority) },
    user: {},
  }) as SelectedContext;

test('the clusters of Argo CD get their labels; a context is proposed, and no credentials are copied', async () => {
  const config = { bearerToken: 'Zugspitze2962', tlsClientConfig: { caData: base64(authority) } };
  const aws = {
    awsAuthConfig: { clusterName: 'eks-1', roleARN: 'arn:secret' },
    tlsClientConfig: {},
  };
  const exec = { execProviderConfig: { command: 'gke-plugin', env: { TOKEN: 'Zugspitze2962' } } };
  const kube = cluster('mgmt', {
    'secrets argocd argocd.argoproj.io/secret-type=cluster': [
      secret({ name: 'in-cluster', server: 'https://kubernetes.default.svc', config: '{}' }),
      secret(
        { name: 'Edge One', server: 'https://edge:6443', config: JSON.stringify(config) },
        { region: 'eu' },
      ),
      secret({ name: 'eks', server: 'https://eks', config: JSON.stringify(aws) }),
      secret({ name: 'gke', server: 'https://gke', config: JSON.stringify(exec) }),
      secret({ name: 'broken', server: 'https://broken', config: 'no JSON' }),
    ],
  });
  const contexts = [context('kind-edge', 'https://edge:6443/'), context('other', 'https://other')];
  const imported = await importArgoCd(kube, 'argocd', contexts);
  assert.deepEqual(imported, {
    wecs: [
      { name: 'edge-one', labels: { region: 'eu' } },
      { name: 'eks' },
      { name: 'gke' },
      { name: 'broken' },
    ],
    comments: [
      'in-cluster: left out: it is the cluster of Argo CD itself',
      'edge-one: Argo CD calls it Edge One',
      'edge-one: probably context: kind-edge',
      'eks: no context has its server https://eks',
      'gke: no context has its server https://gke',
      'broken: no context has its server https://broken',
    ],
  });
});

test('the members of Karmada get properties, and their contexts by the UID of their kube-system', async () => {
  const kube = cluster('karmada', {
    clusters: [
      {
        metadata: { name: 'member1', labels: { tier: 'web', 'cluster.karmada.io/x': 'y' } },
        spec: { id: 'uid-1', provider: 'aws', region: 'eu-1', zones: ['a', 'b'] },
      },
      { metadata: { name: 'member2' }, spec: { id: 'uid-2', zone: 'c' } },
      { metadata: { name: 'member3' }, spec: null },
    ],
  });
  const candidates = [candidate('away', away('away')), candidate('m1', cluster('m1', {}, 'uid-1'))];
  assert.deepEqual(await importKarmada(kube, candidates), {
    wecs: [
      {
        name: 'member1',
        context: 'm1',
        labels: { tier: 'web' },
        properties: { provider: 'aws', region: 'eu-1', zones: 'a,b' },
      },
      { name: 'member2', properties: { zones: 'c' } },
      { name: 'member3' },
    ],
    comments: [
      'member2: no context leads to the cluster uid-2',
      'member3: no context leads to the cluster whose id Karmada does not have',
    ],
  });
  await assert.rejects(importKarmada(cluster('c1', {}), []), /c1 has no Clusters of Karmada/);
});

test('a kubeconfig gives each cluster once, and nothing that is something else', async () => {
  const nodes = { nodes: [{ metadata: { name: 'n1' } }] };
  const registered = {
    ...nodes,
    klusterlets: [{ metadata: { name: 'klusterlet' }, spec: { clusterName: 'west' } }],
  };
  const imported = await importKubeconfig([
    candidate('Prod.EU', cluster('a', nodes, 'uid-a')),
    candidate('prod-again', cluster('a', nodes, 'uid-a')),
    candidate(
      'hub',
      cluster(
        'hub',
        { ...nodes, clustermanagers: [{ metadata: { name: 'cluster-manager' } }] },
        'uid-h',
      ),
    ),
    candidate('hosting', cluster('hosting', { ...nodes, controlplanes: [] }, 'uid-k')),
    candidate('west', cluster('west', registered, 'uid-w')),
    candidate('away', away('away')),
  ]);
  assert.deepEqual(imported.wecs, [{ name: 'prod-eu', context: 'Prod.EU' }]);
  assert.deepEqual(
    imported.comments.map((comment) => comment.split(': left out: ')[0]),
    ['prod-again', 'hub', 'hosting', 'west', 'away'],
  );
  assert.match(
    imported.comments.join('\n'),
    /prod-again: left out: it is the cluster of the context Prod\.EU/,
  );
  assert.match(imported.comments.join('\n'), /west: left out: it is registered as west/);
});

test('clusters without a name, or with that of another one, are left out, which is said', () => {
  const wecs = ['prod-a', 'b', '', 'prod-a'].map((name) => ({ name }));
  const named = withNameNotes({ wecs, comments: ['prod-a: Argo CD calls it prod.a'] });
  assert.deepEqual(
    named.wecs.map(({ name }) => name),
    ['prod-a', 'b'],
  );
  assert.deepEqual(named.comments.slice(1), [
    'left out: clusters whose names have no letter or digit that a WEC may have, or the same ones as another',
  ]);
});

test('any name becomes one that an ITS allows', () => {
  for (const [given, name] of [
    ['kind-c1', 'kind-c1'],
    ['arn:aws:eks:eu-1:123:cluster/Prod_1', 'arn-aws-eks-eu-1-123-cluster-prod-1'],
    ['-a-', 'a'],
    [`${'x'.repeat(62)}-y`, `${'x'.repeat(62)}`],
  ] as const)
    assert.equal(wecNameOf(given), name);
});
