import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { missing, shownList } from '../../../../../src/lib/kube/client/missing.ts';
import {
  conditionOf,
  resources,
  type WithConditions,
} from '../../../../../src/lib/kube/client/objects.ts';
import type { UserEntry } from '../../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { resourceOfBound } from '../../../../../src/lib/ocm/model/kubestellar-names.ts';
import { base64, foreseenKube } from '../../../support/builders.ts';
import { identity } from '../../../support/fake-server.ts';
import { newPath } from '../../../support/folder.ts';
import { plugin } from '../../../support/plugin-host.ts';
import { serving } from '../../../support/serving.ts';
import { failsWith } from '../../../support/steps.ts';

const managedCluster = (resourceVersion = '1') => ({
  apiVersion: 'cluster.open-cluster-management.io/v1',
  kind: 'ManagedCluster',
  metadata: { name: 'cluster1', resourceVersion },
});
const clusters = '/apis/cluster.open-cluster-management.io/v1/managedclusters';

/** The answer is not one of an API server. */
const strange = {
  code: 'api-error',
  message: /^https:\S+ does not answer like a Kubernetes API server\.$/,
};

describe('a request', () => {
  test('is sent to the path of the object, with the credentials of the context', async () => {
    const { server, kube } = await serving((_, count) => ({
      body: { ...managedCluster(), ...(count === 2 && { kind: 'Secret' }) },
    }));
    assert.deepEqual(await kube.get(resources.managedClusters, 'cluster1'), managedCluster());
    await kube.get(resources.secrets, 'cluster1', { namespace: 'b' });
    assert.deepEqual(
      server.requests.map(({ method, path: at }) => `${method} ${at}`),
      [`GET ${clusters}/cluster1`, 'GET /api/v1/namespaces/b/secrets/cluster1'],
    );
    assert.equal(server.requests[0]?.headers.authorization, 'Bearer secret-token');
  });
  test('that is refused never shows the token that it was sent', async () => {
    const { server, kube } = await serving(
      () => ({
        status: 403,
        body: { message: 'refused opaqueToken1, as in {\'t\':"opaqueToken1"}' },
      }),
      { user: { token: 'opaqueToken1' } },
    );
    for (const request of [
      () => kube.get(resources.managedClusters, 'cluster1'),
      () => kube.logTail({ name: 'p', namespace: 'n' }, 'c', { lines: 1 }),
      () => kube.stream('/api', {}).next(),
    ])
      await assert.rejects(request(), (error: Error) => {
        assert.match(error.message, /: refused <removed>, as in /);
        assert.doesNotMatch(JSON.stringify([error.message, error]), /opaqueToken/);
        return true;
      });
    assert.equal(server.requests[0]?.headers.authorization, 'Bearer opaqueToken1');
  });
  test('is not answered with another object', async () => {
    const { kube } = await serving(() => ({ body: managedCluster() }));
    await assert.rejects(kube.get(resources.managedClusters, 'other'), strange);
    await assert.rejects(kube.get(resources.clusterRoles, 'cluster1'), strange);
    const bound = { group: 'cluster.open-cluster-management.io', resource: 'managedclusters' };
    const found = await kube.get(resourceOfBound(bound), 'cluster1');
    assert.deepEqual(found, managedCluster(), 'a kind of which only the plural is known');
  });
  test('for a list ends at the deadline, however many pages there are', async () => {
    const page = { metadata: { continue: 'more' }, items: [] };
    const { kube } = await serving(() => ({ body: page }), { timeoutMs: 100 });
    await assert.rejects(kube.list(resources.managedClusters), { code: 'timeout' });
  });
  test('keeps the path of the server', async () => {
    const { server, kube } = await serving(() => ({ body: managedCluster() }), {
      path: '/k8s/clusters/c-1',
    });
    await kube.read('/version');
    await kube.get(resources.managedClusters, 'cluster1');
    assert.deepEqual(
      server.requests.map(({ path: at }) => at),
      ['/k8s/clusters/c-1/version', `/k8s/clusters/c-1${clusters}/cluster1`],
    );
  });
  test('impersonates the user of the context', async () => {
    const user = {
      token: 't',
      as: 'alice',
      'as-groups': ['g1', 'g2'],
      'as-uid': 'u1',
      'as-user-extra': { 'example.com/scope': ['a'] },
    };
    const { server, kube } = await serving(() => ({}), { user });
    await kube.read('/version');
    const { headers } = server.requests[0] ?? assert.fail();
    assert.deepEqual(
      [
        'impersonate-user',
        'impersonate-group',
        'impersonate-uid',
        'impersonate-extra-example.com%2fscope',
      ].map((name) => headers[name]),
      ['alice', 'g1, g2', 'u1', 'a'],
    );
  });
  test('is logged without credentials and bodies', async () => {
    const { kube, traced } = await serving(() => ({
      body: { status: { token: 'answered-token' } },
    }));
    await kube.create(
      resources.serviceAccounts,
      { spec: { note: 'sent-body' } },
      { namespace: 'n', name: 'a', subresource: 'token' },
    );
    assert.match(
      traced.join(),
      /^POST https:\/\/127\.0\.0\.1:\d+\/api\/v1\/namespaces\/n\/serviceaccounts\/a\/token\S* 200 \d+ms$/,
    );
  });
});

describe('a missing object', () => {
  test('is undefined, and a missing list is none', async () => {
    const { kube } = await serving(() => ({ status: 404, body: { kind: 'Status' } }));
    assert.deepEqual(
      [
        await kube.get(resources.managedClusters, 'a'),
        await kube.list(resources.klusterlets),
        await kube.read('/x'),
      ],
      [undefined, missing, undefined],
    );
  });
  test('cannot be changed', async () => {
    const { kube } = await serving(() => ({ status: 404, body: { kind: 'Status' } }));
    await assert.rejects(foreseenKube(kube).merge(resources.managedClusters, 'a', {}), {
      code: 'not-found',
      status: 404,
    });
  });
});

describe('a list', () => {
  test('is read in pages', async () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => ({ metadata: { name } }));
    const pages = [
      { metadata: { continue: 'two' }, items: [a, b] },
      { metadata: { continue: 'three' }, items: [c] },
      { metadata: { continue: '' }, items: [d] },
    ];
    const { server, kube } = await serving((_, count) => ({ body: pages[count - 1] }));
    assert.deepEqual(await kube.list(resources.managedClusters, { labelSelector: 'a=b' }), [
      a,
      b,
      c,
      d,
    ]);
    assert.deepEqual(
      server.requests.map(({ query }) => query),
      [
        { labelSelector: 'a=b', limit: '500' },
        { labelSelector: 'a=b', limit: '500', continue: 'two' },
        { labelSelector: 'a=b', limit: '500', continue: 'three' },
      ],
    );
  });
  test('requests metadata only if nothing else is needed', async () => {
    const { server, kube } = await serving(() => ({ body: { items: [] } }));
    await kube.list(resources.secrets, { metadataOnly: true });
    await kube.list(resources.secrets);
    const accepts = server.requests.map(({ headers }) =>
      /PartialObjectMetadataList/.test(headers.accept ?? ''),
    );
    assert.deepEqual(accepts, [true, false]);
  });
  test('is an error if a later page is not found', async () => {
    const { kube } = await serving(({ query }) =>
      query.continue === 'two'
        ? { status: 404 }
        : { body: { metadata: { continue: 'two' }, items: [managedCluster()] } },
    );
    await assert.rejects(kube.list(resources.managedClusters), strange);
  });
  test('of add-ons is that of the version that is served', async () => {
    const addOn = { metadata: { name: 'addon-status', namespace: 'cluster1' } };
    const isServed = (path: string) =>
      path.startsWith('/apis/addon.open-cluster-management.io/v1beta1/');
    const { kube } = await serving(({ path }) =>
      isServed(path) ? { body: { items: [addOn] } } : { status: 404 },
    );
    assert.deepEqual(await kube.list(resources.managedClusterAddOns), [addOn]);
    assert.equal(await kube.list(resources.manifestWorks), missing);
  });
  test('can be empty', async () => {
    const { kube } = await serving(() => ({ body: { items: null } }));
    assert.deepEqual(await kube.list(resources.managedClusters), []);
  });
});

describe('a response that no API server gives is an error without a stack trace', () => {
  const answers: [what: string, body: string][] = [
    ['an endless string', '{"metadata":"'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a word', '"metadata"'],
    ['a page for people, which is not quoted', '<html>s3cr3t</html>'],
    ['an object without metadata', '{"metadata":null}'],
    ['items that are no list', '{"metadata":{"name":"a"},"items":{"length":1}}'],
    ['items that are missing', '{}'],
    ['items of a Status', '{"kind":"Status","apiVersion":"v1","metadata":{},"items":[]}'],
    ['items that are no objects', '{"metadata":{"name":"a"},"items":[null]}'],
  ];
  for (const [what, body] of answers) {
    test(what, async () => {
      const { kube } = await serving(() => ({ body }));
      const isList = what.startsWith('items');
      await assert.rejects(
        isList ? kube.list(resources.managedClusters) : kube.get(resources.managedClusters, 'a'),
        strange,
      );
    });
  }
  for (const [how, write] of [
    ['a patch', (kube) => kube.merge(resources.secrets, 'a', {})],
    ['an update', (kube) => kube.replace(resources.secrets, { metadata: { name: 'a' } })],
    ['an apply', (kube) => kube.apply({ ...managedCluster() })],
  ] as [string, (kube: Kube) => Promise<unknown>][])
    test(`{} to ${how}`, async () => {
      const { kube } = await serving(({ method }) => ({
        body: method === 'GET' ? managedCluster() : {},
      }));
      await assert.rejects(write(kube), strange);
    });
  for (const conditions of [
    [null],
    null,
    'none',
    { type: 'Available' },
    [[], { type: 'Available' }],
  ])
    test(`but the conditions ${JSON.stringify(conditions)} are read as far as they are conditions`, async () => {
      const sick = { ...managedCluster(), status: { conditions } };
      const { kube } = await serving(({ path: at }) => ({
        body: at === clusters ? { items: [sick] } : sick,
      }));
      const got = await kube.get<WithConditions>(resources.managedClusters, 'cluster1');
      const [listed] = shownList(await kube.list<WithConditions>(resources.managedClusters));
      for (const object of [got, listed])
        assert.equal(
          conditionOf(object, 'Available')?.type,
          Array.isArray(conditions) && conditions.length === 2 ? 'Available' : undefined,
        );
    });
});

describe('applying', () => {
  const at = (resourceVersion: string, labels: Record<string, string>) => ({
    ...managedCluster(),
    metadata: { name: 'cluster1', resourceVersion, labels },
  });
  const outcomes: [what: string, before: object | undefined, after: object, change: string][] = [
    ['that was not there is created', undefined, at('1', {}), 'created'],
    ['that is another now is changed', at('1', {}), at('2', { a: 'b' }), 'changed'],
    ['that is the same is unchanged', at('2', { a: 'b' }), at('2', { a: 'b' }), 'unchanged'],
    [
      'of which only the version is another is unchanged',
      at('2', { a: 'b' }),
      at('3', { a: 'b' }),
      'unchanged',
    ],
  ];
  for (const [what, before, after, change] of outcomes) {
    test(`reports that an object ${what}`, async () => {
      const { kube } = await serving(({ method }) =>
        method === 'PATCH'
          ? { body: after }
          : before === undefined
            ? { status: 404 }
            : { body: before },
      );
      assert.equal(await kube.apply(managedCluster()), change);
    });
  }
  test('is server-side, by stellarctl, and forces field ownership', async () => {
    const { server, kube } = await serving(() => ({ body: managedCluster() }));
    await kube.apply(managedCluster());
    const { method, path: at, query, headers, body } = server.requests.at(-1) ?? assert.fail();
    assert.deepEqual(
      [method, at, query, headers['content-type']],
      [
        'PATCH',
        `${clusters}/cluster1`,
        { fieldManager: 'stellarctl', force: 'true' },
        'application/apply-patch+yaml',
      ],
    );
    assert.deepEqual(body, managedCluster());
  });
});

test('a merge patch and a replacement send their content type, and a replacement carries its resourceVersion', async () => {
  const { server, kube } = await serving(() => ({ body: managedCluster() }));
  await foreseenKube(kube).merge(resources.managedClusters, 'cluster1', {
    spec: { hubAcceptsClient: true },
  });
  const judged = { metadata: { name: 'csr', resourceVersion: '7' } };
  await kube.replace(resources.certificateSigningRequests, judged, 'approval');
  assert.deepEqual(server.requests[1]?.body, judged);
  assert.deepEqual(
    server.requests.map(({ method, path: at, headers }) => [method, at, headers['content-type']]),
    [
      ['PATCH', `${clusters}/cluster1`, 'application/merge-patch+json'],
      [
        'PUT',
        '/apis/certificates.k8s.io/v1/certificatesigningrequests/csr/approval',
        'application/json',
      ],
    ],
  );
});

test('a deletion has the UID of the object as its precondition; another object of that name stays', async () => {
  const metadata = { name: 'cluster1', uid: 'u3' };
  const { server, kube } = await serving(({ method, body }) => {
    if (method === 'GET') return { body: { kind: 'ManagedCluster', metadata } };
    const isTaken = (body as { preconditions: { uid: string } }).preconditions.uid !== 'u2';
    return isTaken ? { status: 409, body: { reason: 'Conflict' } } : {};
  });
  const remove = (uid?: string) =>
    foreseenKube(kube).delete(resources.managedClusters, {
      metadata: { name: 'cluster1', ...(uid && { uid }) },
    });
  assert.equal(await remove('u1'), false);
  assert.equal(await remove('u2'), true);
  await assert.rejects(remove(), { code: 'api-error' });
  assert.deepEqual(
    server.requests.flatMap(({ method, body }) => (method === 'DELETE' ? body : [])),
    ['u1', 'u2'].map((uid) => ({ propagationPolicy: 'Background', preconditions: { uid } })),
  );
  // A conflict with another write, not with another object.
  await assert.rejects(remove('u3'), { code: 'conflict' });
  Object.assign(metadata, { deletionTimestamp: '2026-11-30T00:00:00Z' });
  assert.equal(await remove('u3'), false);
});

test('an access review returns the allowed permissions only', async () => {
  const answers = [{ status: { allowed: true } }, { status: { allowed: false } }, {}];
  const { kube } = await serving((_, count) => ({ status: 201, body: answers[count - 1] }));
  const ask = () => kube.mayI({ verb: 'get', group: '', resource: 'secrets' });
  assert.deepEqual([await ask(), await ask(), await ask()], [true, false, false]);
});

describe('credentials', () => {
  const counting = () => {
    const counter = newPath();
    return {
      exec: plugin(
        `echo x >> ${counter}
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"token-%s"}}' "$(wc -l < ${counter} | tr -d ' ')"`,
      ),
    };
  };
  const sent = async (user: UserEntry) => {
    const { server, kube } = await serving(() => ({}), { user });
    await kube.read('/version');
    return server.requests[0]?.headers.authorization;
  };
  const fileWith = (content: string) => {
    const file = newPath();
    writeFileSync(file, content);
    return file;
  };
  test('come from a token file if it can be read, else from the token', async () => {
    assert.equal(
      await sent({ token: 'given', tokenFile: fileWith('of-file\n') }),
      'Bearer of-file',
    );
    assert.equal(await sent({ token: 'given', tokenFile: '/no/such/file' }), 'Bearer given');
  });
  test('in an unreadable file are an error that names the file', async () => {
    const { kube } = await serving(() => ({}), { user: { tokenFile: '/no/such/file' } });
    await assert.rejects(kube.read('/version'), {
      code: 'kubeconfig-invalid',
      message: /\/no\/such\/file.*ENOENT/,
    });
  });
  test('that TLS cannot use are an error that says why', async () => {
    const certificate = { 'client-certificate-data': base64(identity.cert) };
    const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const broken: [UserEntry, RegExp][] = [
      [
        { 'client-certificate-data': base64('none'), 'client-key-data': base64(identity.key) },
        /no start line/,
      ],
      [{ ...certificate, 'client-key-data': base64('none') }, /unsupported|no start line/],
      [
        {
          ...certificate,
          'client-key-data': base64(`${otherKey.export({ type: 'sec1', format: 'pem' })}`),
        },
        /mismatch/,
      ],
      [certificate, /no client key/],
    ];
    for (const [user, message] of broken) {
      const { server, kube } = await serving(() => ({}), { user });
      await assert.rejects(kube.read('/version'), {
        code: 'credentials-failed',
        exitCode: 4,
        message,
      });
      assert.equal(server.requests.length, 0);
    }
  });
  test('that are rejected again are an error after one retry (401)', async () => {
    const { server, kube } = await serving(() => ({ status: 401 }), { user: counting() });
    await assert.rejects(kube.read('/version'), { code: 'unauthorized', exitCode: 4 });
    assert.equal(server.requests.length, 2);
  });
  test('of a plugin that is not installed report its installHint', async () => {
    const { kube } = await serving(() => ({}), {
      user: { exec: plugin('', { command: 'no-such-plugin', installHint: 'install it' }) },
    });
    await assert.rejects(
      kube.read('/version'),
      failsWith({
        code: 'credentials-failed',
        message: /no-such-plugin is not installed/,
        steps: 'install it',
      }),
    );
  });
});

describe('a server that', () => {
  test('has just started, and does not know all of its paths yet, gets a retry', async () => {
    const message =
      'the request has been made before all known HTTP paths have been installed, please try again';
    const { server, kube } = await serving((_, count) =>
      count < 2 ? { status: 503, body: { message }, headers: { 'Retry-After': '0.01' } } : {},
    );
    await kube.read('/version');
    assert.equal(server.requests.length, 2);
  });

  test('is too busy (429) gets a retry after the time that it names', async () => {
    const { server, kube } = await serving((_, count) =>
      count < 3 ? { status: 429, headers: { 'Retry-After': '0.01' } } : {},
    );
    await kube.read('/version');
    assert.equal(server.requests.length, 3);
  });
  test('stays too busy causes an error', async () => {
    const { server, kube } = await serving(() => ({
      status: 429,
      headers: { 'Retry-After': '0.01' },
    }));
    await assert.rejects(kube.read('/version'), { status: 429 });
    assert.equal(server.requests.length, 5);
  });
  // The pause requested by the server is not limited by the deadline.
  test('is too busy for longer than the deadline is not waited for', async () => {
    const { kube } = await serving(() => ({ status: 429, headers: { 'Retry-After': '60' } }), {
      timeoutMs: 100,
      signal: AbortSignal.timeout(20_000),
    });
    await assert.rejects(kube.read('/version'), { status: 429 });
  });
  test('does not answer is unreachable', async () => {
    const { kube } = await serving(() => undefined, { timeoutMs: 10 });
    await assert.rejects(kube.read('/version'), {
      code: 'unreachable',
      message: /no answer in time/,
    });
  });
  test('does not run is unreachable', async () => {
    const { server, kube } = await serving(() => ({}));
    await server.stop();
    await assert.rejects(kube.read('/version'), { code: 'unreachable', exitCode: 4 });
  });
  test('has a certificate of an unknown authority is not trusted, and receives no credentials, regardless of NODE_TLS_REJECT_UNAUTHORIZED', async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      const { server, kube } = await serving(() => ({}), { trusted: false });
      await assert.rejects(kube.read('/version'), { code: 'tls-error' });
      assert.deepEqual(server.requests, []);
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });
  test('redirects is not followed', async () => {
    const { server, kube } = await serving(() => ({
      status: 302,
      headers: { Location: '/elsewhere' },
    }));
    await assert.rejects(kube.read('/version'), { status: 302 });
    assert.equal(server.requests.length, 1);
  });
});

test('a closed client sends nothing more, not even a retry', async () => {
  const { server, kube } = await serving((_request, count) => (count === 1 ? {} : undefined));
  await kube.read('/first');
  const unanswered = kube.read('/second');
  while (server.requests.length < 2) await sleep(1);
  kube.close();
  await assert.rejects(unanswered, { code: 'unreachable' });
  assert.equal(server.requests.length, 2);
});

test('Ctrl-C ends a request in progress', async () => {
  const { kube } = await serving(() => undefined, { signal: AbortSignal.timeout(30) });
  await assert.rejects(kube.read('/version'), { code: 'interrupted', exitCode: 130 });
});

describe("the cluster's clock", () => {
  test('is taken from its responses', async () => {
    const { kube } = await serving(() => ({
      headers: { Date: new Date(Date.now() + 3_600_000).toUTCString() },
    }));
    await kube.read('/version');
    assert.ok(Math.abs(kube.now() - Date.now() - 3_600_000) < 3000);
  });
  test('is the local one if they hardly differ', async () => {
    const { kube } = await serving(() => ({}));
    await kube.read('/version');
    const [local, now] = [Date.now(), kube.now()];
    assert.ok(Math.abs(now - local) < 1000, `${local} ${now}`);
  });
});
