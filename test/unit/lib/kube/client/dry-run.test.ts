import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Deadline } from '../../../../../src/lib/engine/deadline.ts';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { type RecordedWrite, recordWrites } from '../../../../../src/lib/kube/client/dry-run.ts';
import { connect } from '../../../../../src/lib/kube/client/live-client.ts';
import { resources } from '../../../../../src/lib/kube/resources.ts';
import { requestBootstrapToken } from '../../../../../src/lib/wecs/hub/token.ts';
import { installKlusterlet } from '../../../../../src/lib/wecs/klusterlet/install.ts';
import { run } from '../../../support/builders.ts';
import { FakeServer } from '../../../support/fake-server.ts';

describe('a dry run', () => {
  let server: FakeServer;
  let live: Kube;
  let kube: Kube;
  const writes: RecordedWrite[] = [];
  before(async () => {
    // Only the ClusterRole exists.
    server = await FakeServer.start(({ path, method }) =>
      method === 'POST' || path.includes('clusterroles')
        ? { body: { metadata: { name: 'klusterlet' }, status: { allowed: true } } }
        : { status: 404 },
    );
    live = connect(server.context(), new Deadline(10_000), new AbortController().signal);
    kube = recordWrites(live, (write) => writes.push(write));
  });
  beforeEach(() => {
    writes.length = 0;
    server.requests.length = 0;
  });
  after(async () => {
    live.close();
    await server.stop();
  });
  const sent = () => server.requests.map(({ method, path }) => `${method} ${path}`);

  test('is marked as such', () =>
    assert.deepEqual([kube.dryRun, live.dryRun, kube.cluster], [true, false, live.cluster]));

  test('really reads and reviews permissions', async () => {
    assert.equal((await kube.get(resources.clusterRoles, 'klusterlet'))?.metadata.name, 'klusterlet');
    assert.equal(await kube.mayI({ verb: 'get', group: '', resource: 'secrets' }), true);
    assert.deepEqual(sent(), [
      'GET /apis/rbac.authorization.k8s.io/v1/clusterroles/klusterlet',
      'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    ]);
    assert.deepEqual(writes, []);
  });

  test('records every kind of write and sends none', async () => {
    const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'n' } };
    await kube.create(resources.secrets, object, { namespace: 'n' });
    await kube.apply(object);
    await kube.merge(resources.managedClusters, 'cluster1', { spec: {} });
    await kube.replace(resources.certificateSigningRequests, { metadata: { name: 'csr' } }, 'approval');
    await kube.delete(resources.clusterRoles, 'klusterlet', { uid: 'u1' });
    const cluster = 'fake';
    assert.deepEqual(writes, [
      { verb: 'create', cluster, kind: 'Secret', name: 's', namespace: 'n' },
      { verb: 'create', cluster, kind: 'Secret', name: 's', namespace: 'n' },
      { verb: 'patch', cluster, kind: 'ManagedCluster', name: 'cluster1' },
      { verb: 'update', cluster, kind: 'CertificateSigningRequest', name: 'csr' },
      { verb: 'delete', cluster, kind: 'ClusterRole', name: 'klusterlet' },
    ]);
    assert.deepEqual(
      sent().filter((line) => !line.startsWith('GET ')),
      [],
    );
  });

  test('requests no token, and has none to show', async () => {
    assert.equal((await requestBootstrapToken(kube)).token, '(token)');
    assert.deepEqual(sent(), []);
    assert.deepEqual(
      writes.map(({ verb, kind, name }) => `${verb} ${kind} ${name}`),
      ['create TokenRequest agent-registration-bootstrap'],
    );
  });

  test('of an installation lists all writes, RBAC first and the Klusterlet last, shows no token, and waits for nothing', async () => {
    const settings = { clusterName: 'cluster1', mode: 'Singleton', imageRegistry: 'r', tag: 't' } as const;
    const hub = { server: 'https://h', certificateAuthority: undefined, proxyUrl: undefined };
    const counts = { created: 0, changed: 0, unchanged: 0 };
    await installKlusterlet(
      kube,
      {
        settings,
        installOperator: true,
        startOperator: false,
        imagePullSecret: undefined,
        writeKlusterlet: true,
        bootstrap: { hub, token: 'secret', isOwn: true },
      },
      counts,
      { ...run(), dryRun: true },
    );
    assert.deepEqual(
      writes.map(
        ({ verb, kind, namespace, name }) => `${verb} ${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
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
    assert.deepEqual(counts, { created: 9, changed: 1, unchanged: 0 });
    assert.ok(sent().every((line) => line.startsWith('GET ')));
    assert.ok(!JSON.stringify(writes).includes('secret"'));
  });
});
