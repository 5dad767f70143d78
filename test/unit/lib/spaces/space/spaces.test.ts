import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ifSeen, seen } from '../../../../../src/lib/kube/access.ts';
import {
  accessSpace,
  contextsCertainlyOf,
  contextsOf,
} from '../../../../../src/lib/spaces/space/space-access.ts';
import {
  hookLike,
  hooksOf,
  itsNameOf,
  itsOfWds,
  listControlPlanes,
  readSpace,
  roleOf,
} from '../../../../../src/lib/spaces/space/spaces.ts';
import { base64 } from '../../../support/builders.ts';
import { oneContext } from '../../../support/one-context.ts';
import {
  type ControlPlaneOptions,
  controlPlane,
  inSpace,
  its,
  kubeconfigOf,
  MemoryCluster,
  wds,
} from '../../../support/space-builders.ts';

describe('a control plane is', () => {
  const withHook = (hookName: string): ControlPlaneOptions => ({ hooks: [{ hookName }] });
  const cases: [what: string, options: ControlPlaneOptions, role: string | undefined][] = [
    ['what its label says', { label: 'wds' }, 'wds'],
    ['an ITS by its hooks, without a label', withHook('install-status-addon'), 'its'],
    [
      'a WDS by its hooks, one of them corrected',
      withHook('stellarctl-transport-controller'),
      'wds',
    ],
    [
      'an ITS by the hook of older charts',
      { spec: { postCreateHook: 'its-with-clusteradm' } },
      'its',
    ],
    ['a WDS by the hook of older charts', { spec: { postCreateHook: 'wds' } }, 'wds'],
    ['neither without hooks', {}, undefined],
    ['neither with other hooks', withHook('mine'), undefined],
  ];
  for (const [what, options, role] of cases)
    test(what, () => assert.equal(roleOf(controlPlane('x', options)), role));
});

test('the older single hook comes first, each once', () => {
  const plane = controlPlane('x', {
    hooks: [{ hookName: 'b' }, { hookName: 'a' }],
    spec: { postCreateHook: 'a' },
  });
  assert.deepEqual(hooksOf(plane), ['a', 'b']);
});

test('a corrected copy of a hook counts as the hook', () => {
  const plane = controlPlane('x', { hooks: [{ hookName: 'stellarctl-transport-controller' }] });
  assert.equal(hookLike(plane, 'transport-controller'), 'stellarctl-transport-controller');
  assert.equal(hookLike(plane, 'ready'), undefined);
});

describe('the ITS of a WDS is', () => {
  const nameOf = (...planes: ReturnType<typeof its>[]) => itsOfWds('wds1', planes)?.metadata.name;
  test('the one that it names', () =>
    assert.equal(nameOf(wds('wds1', 'its2'), its('its1'), its('its2')), 'its2'));
  test('the only one', () =>
    assert.equal(nameOf(wds('wds1'), its('its1'), wds('wds2', 'its9')), 'its1'));
  test('unclear', () => {
    assert.equal(nameOf(wds('wds1'), its('its1'), its('its2')), undefined);
    assert.equal(nameOf(wds('wds1', 'gone'), its('its1')), undefined);
    assert.equal(nameOf(wds('wds1')), undefined);
  });
  test('named to its hooks first, as in KubeFlex', () => {
    const hooks = [{ hookName: 'transport-controller', vars: { ITSName: 'its2' } }];
    assert.equal(itsNameOf(wds('wds1', 'its1', { hooks })), 'its2');
    assert.equal(itsNameOf(wds('wds1', '')), undefined);
    assert.equal(itsNameOf(undefined), undefined);
  });
});

test('control planes are sorted by name, of one role if requested', async () => {
  const { kube } = new MemoryCluster([wds('wds1'), its('b'), its('a'), controlPlane('plain')]);
  const names = async (role?: 'its') =>
    (await listControlPlanes(kube, role))?.map(({ metadata }) => metadata.name);
  assert.deepEqual(
    [await names(), await names('its')],
    [
      ['a', 'b', 'plain', 'wds1'],
      ['a', 'b'],
    ],
  );
});

test('a space whose Jobs answer 404 was not read; what may not be read is noted', async () => {
  const hosting = new MemoryCluster([its('its1')]);
  hosting.forbidden.add('jobs');
  const read = await readSpace(hosting.kube, 'its1', 'its');
  assert.deepEqual([read?.jobs, [...(read?.forbidden ?? [])]], [[], ['jobs']]);
  const { kube } = new MemoryCluster([its('its1')], {
    list: async ({ plural }) => (plural === 'jobs' ? undefined : []),
  });
  await assert.rejects(readSpace(kube, 'its1', 'its'), /does not serve jobs/);
});

describe('the contexts of a space are', () => {
  const at = { cluster: 'c', user: 'u' };
  const namesOf = (contexts: Parameters<typeof kubeconfigOf>[0]) =>
    contextsOf(kubeconfigOf(contexts), 'its1', 'hosting');
  test('those that are marked, the one of its name first', () =>
    assert.deepEqual(
      namesOf({ a: { ...at, of: 'its1' }, its1: { ...at, of: 'its1' }, b: { ...at, of: 'its2' } }),
      ['its1', 'a'],
    ));
  test('none of another known hosting cluster', () => {
    const of = (hosting: string) => ({ a: { ...at, of: 'its1', hosting }, hosting: at, other: at });
    assert.deepEqual(namesOf(of('hosting')), ['a']);
    assert.deepEqual(namesOf(of('other')), []);
    assert.deepEqual(namesOf(of('renamed since')), ['a']);
    assert.deepEqual(
      contextsCertainlyOf(kubeconfigOf(of('hosting')), 'its1', 'hosting', undefined),
      ['a'],
    );
    assert.deepEqual(
      contextsCertainlyOf(kubeconfigOf(of('renamed since')), 'its1', 'hosting', undefined),
      [],
    );
  });
  test('certainly those with its server, if no hosting cluster is recorded', () => {
    const byKflex = kubeconfigOf({ its1: { ...at, of: 'its1' } });
    assert.deepEqual(
      contextsCertainlyOf(byKflex, 'its1', 'hosting', 'https://c.example.com:6443'),
      ['its1'],
    );
    assert.deepEqual(contextsCertainlyOf(byKflex, 'its1', 'hosting', 'https://other:6443'), []);
    assert.deepEqual(contextsCertainlyOf(byKflex, 'its1', 'hosting', undefined), []);
  });
  test('one that kflex has loaded without a mark', () => {
    const byKflex = { cluster: 'its1-cluster', user: 'its1-admin' };
    assert.deepEqual(namesOf({ its1: byKflex }), ['its1']);
    assert.deepEqual(namesOf({ other: byKflex }), []);
    assert.deepEqual(namesOf({ its1: byKflex, a: { ...at, of: 'its1' } }), ['a']);
  });
  test('not one of the same name that belongs to someone else', () => {
    assert.deepEqual(namesOf({ its1: at }), []);
    assert.deepEqual(namesOf({ its1: { ...at, of: 'its2' } }), []);
  });
});

describe('a space is reached', () => {
  const hostingContext = {
    name: 'kind-kubeflex',
    server: 'https://127.0.0.1:6443',
    cluster: { server: 'https://127.0.0.1:6443' },
    user: { token: 'mine' },
  };
  const kubeconfig = kubeconfigOf({
    byKflex: { cluster: 'd', user: 'u', of: 'ext1' },
    mine: { cluster: 'c', user: 'u', of: 'ext1', hosting: 'kind-kubeflex' },
  });
  const secret = (name: string, data: Record<string, string>) =>
    inSpace('Secret', 'its1', { metadata: { name }, data });
  const access = (plane: ReturnType<typeof its>, ...objects: ReturnType<typeof secret>[]) =>
    accessSpace(plane, { hosting: new MemoryCluster(objects).kube, hostingContext, kubeconfig });
  /** No context has its name: kubectl cannot show whether it runs. */
  const inspection = {
    command: 'stellarctl its get its1 --hosting-context kind-kubeflex',
    lead: 'See its stages',
  };
  const writing = 'stellarctl its context its1 --hosting-context kind-kubeflex';

  test('of type host as the hosting cluster, under its own name', async () =>
    assert.deepEqual(
      await access(its('its1')),
      seen({ ...hostingContext, name: 'its1', inspection, writing }),
    ));
  const kubeconfigText = (cluster: object, user: object) =>
    JSON.stringify(oneContext(cluster, user));
  const bySecret = (text: string) =>
    access(its('its1', { type: 'k8s' }), secret('admin-kubeconfig', { kubeconfig: base64(text) }));
  test('using only address and data of a Secret', async () => {
    const cluster = { 'certificate-authority-data': 'Y2E=', 'tls-server-name': 'its1' };
    const user = { token: 't', 'client-certificate-data': 'Yw==', 'client-key-data': 'aw==' };
    const hostile = kubeconfigText(
      {
        ...cluster,
        server: 'https://its1.localtest.me:9443',
        'certificate-authority': '/etc/passwd',
        'insecure-skip-tls-verify': true,
        'proxy-url': 'http://127.0.0.1:1',
        'disable-compression': true,
        extensions: [{ name: 'x' }],
      },
      {
        ...user,
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: 'sh',
          args: ['-c', 'touch /tmp/hacked'],
        },
        'auth-provider': { name: 'gcp', config: { 'cmd-path': 'sh' } },
        tokenFile: '/etc/passwd',
        'client-certificate': '/etc/passwd',
        'client-key': '/etc/passwd',
        username: 'admin',
        password: 'x',
        as: 'system:admin',
        'as-groups': ['system:masters'],
      },
    );
    assert.deepEqual(
      await bySecret(hostile),
      seen({
        name: 'its1',
        server: 'https://its1.localtest.me:9443',
        cluster: { ...cluster, server: 'https://its1.localtest.me:9443' },
        user,
        inspection,
        writing,
      }),
    );
  });
  test('using no field of a Secret that is not text', async () => {
    const odd = kubeconfigText(
      { server: 'https://a', 'certificate-authority-data': { a: 1 }, 'tls-server-name': ['x'] },
      { token: { b: 1 }, 'client-key-data': 5 },
    );
    const found = await bySecret(odd);
    assert.deepEqual(
      found,
      seen({
        name: 'its1',
        server: 'https://a',
        cluster: { server: 'https://a' },
        user: {},
        inspection,
        writing,
      }),
    );
  });
  for (const server of ['http://its1:80', 'file:///etc/passwd', 'unix:/var/run/docker.sock', 5, ''])
    test(`not by a Secret with the server ${server}`, async () => {
      const found = await bySecret(kubeconfigText({ server }, {}));
      assert.equal(found.state === 'hidden' && found.error?.code, 'kubeconfig-invalid');
    });
  test('of type vcluster and k8s by the Secret, with the key for other machines', async () => {
    const text = base64(
      kubeconfigText({ server: 'https://its1.localtest.me:9443/' }, { token: 'x' }),
    );
    for (const [type, name, key] of [
      ['vcluster', 'vc-vcluster', 'config'],
      ['k8s', 'admin-kubeconfig', 'kubeconfig'],
    ] as const) {
      const found = await access(its('its1', { type }), secret(name, { [key]: text }));
      assert.deepEqual(
        found.state === 'seen' && [found.value.name, found.value.server, found.value.user],
        ['its1', 'https://its1.localtest.me:9443', { token: 'x' }],
      );
      assert.match(
        JSON.stringify(await access(its('its1', { type }))),
        new RegExp(`its1-system/${name} has no key ${key}`),
      );
    }
  });
  test('of type external by a context of the user that is known to refer to it', async () => {
    const found = await access(its('ext1', { type: 'external' }));
    assert.equal(ifSeen(found)?.name, 'mine');
    assert.match(
      JSON.stringify(await access(its('ext2', { type: 'external' }))),
      /no context .* of ext2/,
    );
  });
  test('or the reason is given', async () =>
    assert.match(
      JSON.stringify(await access(its('its1', { type: 'vcluster' }))),
      /its API server is not running yet/,
    ));
});
