import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Deadline } from '../../../../src/lib/core/deadline.ts';
import { connect, type Kube } from '../../../../src/lib/kube/client/client.ts';
import { type KubeObject, resources } from '../../../../src/lib/kube/client/objects.ts';
import { type RecordedWrite, recordWrites } from '../../../../src/lib/kube/writes.ts';
import { requestBootstrapToken } from '../../../../src/lib/ocm/hub/hub-access.ts';
import {
  installOperator,
  writeBootstrap,
  writeKlusterlet,
} from '../../../../src/lib/wecs/join/install-klusterlet.ts';
import { foreseenKube, run } from '../../support/builders.ts';
import { FakeServer } from '../../support/fake-server.ts';

describe('a dry run', () => {
  let server: FakeServer;
  let live: Kube;
  let kube: Kube;
  const writes: RecordedWrite[] = [];
  const denied = new Set<string>();
  before(async () => {
    // Only the ClusterRole exists.
    server = await FakeServer.start(({ path, method, body }) => {
      const { verb, resource, subresource } =
        (body as { spec?: { resourceAttributes?: Record<string, string> } } | undefined)?.spec
          ?.resourceAttributes ?? {};
      const allowed = !denied.has(
        [verb, resource, ...(subresource === undefined ? [] : [subresource])].join(' '),
      );
      return method === 'POST' || path.includes('clusterroles')
        ? { body: { kind: 'ClusterRole', metadata: { name: 'klusterlet' }, status: { allowed } } }
        : { status: 404 };
    });
    live = connect(server.context(), {
      deadline: new Deadline(10_000),
      signal: new AbortController().signal,
    });
    kube = recordWrites(live, (write) => writes.push(write));
  });
  beforeEach(() => {
    writes.length = 0;
    denied.clear();
    server.requests.length = 0;
  });
  after(async () => {
    live.close();
    await server.stop();
  });
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'n' } };
  const review = 'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const sent = () => server.requests.map(({ method, path }) => `${method} ${path}`);

  test('is marked as such', () =>
    assert.deepEqual([kube.dryRun, live.dryRun, kube.cluster], [true, false, live.cluster]));

  test('really reads and reviews permissions', async () => {
    assert.equal(
      (await kube.get(resources.clusterRoles, 'klusterlet'))?.metadata.name,
      'klusterlet',
    );
    assert.equal(await kube.mayI({ verb: 'get', group: '', resource: 'secrets' }), true);
    assert.deepEqual(sent(), [
      'GET /apis/rbac.authorization.k8s.io/v1/clusterroles/klusterlet',
      review,
    ]);
    assert.deepEqual(writes, []);
  });

  test('records every kind of write and sends none', async () => {
    await kube.create(resources.secrets, object, { namespace: 'n' });
    await kube.apply(object);
    await foreseenKube(kube).merge(resources.managedClusters, 'cluster1', { spec: {} });
    await kube.replace(
      resources.certificateSigningRequests,
      { metadata: { name: 'csr' } },
      'approval',
    );
    await kube.delete(resources.clusterRoles, { metadata: { name: 'klusterlet', uid: 'u1' } });
    const cluster = 'fake';
    assert.deepEqual(writes, [
      { verb: 'create', cluster, kind: 'Secret', name: 's', namespace: 'n' },
      { verb: 'create', cluster, kind: 'Secret', name: 's', namespace: 'n' },
      { verb: 'patch', cluster, kind: 'ManagedCluster', name: 'cluster1' },
      { verb: 'update', cluster, kind: 'CertificateSigningRequest', name: 'csr' },
      { verb: 'delete', cluster, kind: 'ClusterRole', name: 'klusterlet' },
    ]);
    assert.deepEqual(
      sent().filter((line) => !line.startsWith('GET ') && line !== review),
      [],
    );
  });

  test('fails like a write that this user is not allowed to make, and does not record it', async () => {
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'klusterlet' },
    };
    const csr = { metadata: { name: 'csr' } };
    const cases: [denied: string, write: () => Promise<unknown>, message: RegExp][] = [
      [
        'create secrets',
        () => kube.create(resources.secrets, object, { namespace: 'n' }),
        /create secrets in n\.$/,
      ],
      // Server-side apply of a new object needs both rights.
      ['create secrets', () => kube.apply(object), /create secrets in n\.$/],
      ['patch secrets', () => kube.apply(object), /patch secrets in n\.$/],
      ['patch clusterroles', () => kube.apply(role), /patch clusterroles/],
      [
        'patch managedclusters',
        () => foreseenKube(kube).merge(resources.managedClusters, 'c', {}),
        /patch managedclusters/,
      ],
      [
        'update certificatesigningrequests approval',
        () => kube.replace(resources.certificateSigningRequests, csr, 'approval'),
        /update certificatesigningrequests\/approval/,
      ],
      [
        'delete clusterroles',
        () => kube.delete(resources.clusterRoles, role),
        /delete clusterroles/,
      ],
    ];
    for (const [right, write, message] of cases) {
      denied.clear();
      denied.add(right);
      await assert.rejects(write, { code: 'forbidden', exitCode: 4, message });
    }
    denied.clear();
    denied.add('create clusterroles');
    await kube.apply(role);
    assert.deepEqual(
      writes.map(({ verb }) => verb),
      ['apply'],
    );
  });

  test('requests no token, and has none to show', async () => {
    assert.equal((await requestBootstrapToken(kube)).token, '(token)');
    assert.deepEqual(sent(), [review]);
    assert.deepEqual(
      writes.map(({ verb, kind, name }) => `${verb} ${kind} ${name}`),
      ['create TokenRequest agent-registration-bootstrap'],
    );
  });

  test('of an installation lists all writes, RBAC first and the Klusterlet last, shows no token, and waits for nothing', async () => {
    const settings = {
      clusterName: 'cluster1',
      mode: 'Singleton',
      imageRegistry: 'r',
      tag: 't',
    } as const;
    const endpoint = { server: 'https://h', certificateAuthority: undefined, proxyUrl: undefined };
    const apply = async (object: KubeObject) => void (await kube.apply(object));
    const versions = {
      installOperator: true,
      startOperator: undefined,
      writeKlusterlet: true,
      kept: [],
      replaced: [],
    };
    await installOperator({ kube, settings, versions, apply, imagePullSecret: undefined });
    await writeBootstrap({ kube, apply, endpoint: endpoint as never }, 'secret', true);
    await writeKlusterlet({ kube, settings, apply }, { ...run(), dryRun: true });
    assert.deepEqual(
      writes.map(
        ({ verb, kind, namespace, name }) =>
          `${verb} ${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
      ),
      [
        'apply ClusterRole klusterlet',
        'create ClusterRoleBinding klusterlet',
        'create CustomResourceDefinition klusterlets.operator.open-cluster-management.io',
        'create Namespace open-cluster-management',
        'create Secret open-cluster-management/open-cluster-management-image-pull-credentials',
        'create ServiceAccount open-cluster-management/klusterlet',
        'create Deployment open-cluster-management/klusterlet',
        'create Namespace open-cluster-management-agent',
        'create Secret open-cluster-management-agent/bootstrap-hub-kubeconfig',
        'create Klusterlet klusterlet',
      ],
    );
    assert.ok(sent().every((line) => line.startsWith('GET ') || line === review));
    assert.ok(!JSON.stringify(writes).includes('secret"'));
  });
});
