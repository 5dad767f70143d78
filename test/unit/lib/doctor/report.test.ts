import '../../support/environment.ts';
import '../../support/dist.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { unpackTar } from 'modern-tar';
import { parse, stringify } from 'yaml';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import type { DoctorInput } from '../../../../src/lib/doctor/doctor.ts';
import { makeReport, pack, type ReportIndex } from '../../../../src/lib/doctor/report.ts';
import { Contents } from '../../../../src/lib/doctor/report-contents.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { ApiError } from '../../../../src/lib/kube/client/errors.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import { stellarctl } from '../../../stellarctl.ts';
import { base64, type FakeMethods, fakeKube } from '../../support/builders.ts';
import { writtenApart } from '../../support/folder.ts';
import { hostileText } from '../../support/hostile.ts';
import { oneContext } from '../../support/one-context.ts';
import { canary, jwt, kubeconfig, privateKey } from '../../support/planted.ts';

const namespace = 'open-cluster-management-agent';
const object = (kind: string, name: string, rest: object = {}): KubeObject => ({
  ...{
    apiVersion: 'v1',
    kind,
    metadata: { name, namespace, annotations: { note: `token: ${canary}` } },
  },
  ...rest,
});
const packed = base64(canary);
const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'db', annotations: { note: canary } },
  data: { a: packed },
};

/** The objects of a WEC with secrets wherever possible; the names of its pods are hostile. */
const objects: Record<string, KubeObject[]> = {
  Pod: ['../../../etc/cron.d/x', 'agent', 'Agent', '..', ''].map((name) =>
    object('Pod', name, {
      spec: {
        containers: [
          {
            name: 'c',
            env: [
              { name: 'TOKEN', value: canary },
              { name: 'C', value: kubeconfig },
            ],
          },
        ],
      },
      status: { containerStatuses: [{ name: '../c', restartCount: 1 }] },
    }),
  ),
  ConfigMap: [object('ConfigMap', 'hub', { data: { kubeconfig, note: canary } })],
  Event: [object('Event', 'e', { message: `refused: Bearer ${canary}` })],
  Klusterlet: [object('Klusterlet', 'klusterlet', { spec: { clusterName: 'cluster1' } })],
  ManifestWork: [
    object('ManifestWork', 'w', {
      spec: { workload: { manifests: [secret] } },
      status: { conditions: [] },
    }),
  ],
};

const execKubeconfig = (secret: string) =>
  stringify({
    kind: 'Config',
    users: [
      {
        name: 'u',
        user: {
          exec: {
            command: 'login',
            args: ['--token', secret, `--client-secret=${secret}`],
            env: [{ name: 'LOGIN', value: secret }],
          },
        },
      },
    ],
    clusters: [{ name: 'c', cluster: { server: 'https://its1:6443' } }],
  });

/** What a program may log, and people may write into annotations, arguments and messages. */
const texts: Record<string, (secret: string) => string> = {
  'a token': (secret) => `hub token: ${secret}`,
  'a token in JSON': (secret) =>
    JSON.stringify({ level: 'info', token: secret, refreshToken: [secret] }),
  'a bootstrap token': () => 'joining with abcdef.0123456789canary',
  'a JSON Web Token': () => `with ${jwt}`,
  'a JSON Web Token that was cut': () => `with ${jwt.slice(0, 80)}`,
  'the token of a provider': (secret) =>
    `sent sha256~${secret}${secret}, k8s-aws-v1.${secret}${secret}`,
  'a key': () => privateKey,
  'a key in one line': () => JSON.stringify({ tls: privateKey }),
  'a key in base64': (secret) => `client-key-data: ${base64(secret)}`,
  'a kubeconfig': () => kubeconfig,
  'a kubeconfig in base64': () => `got ${base64(kubeconfig)}`,
  'a kubeconfig with a program': execKubeconfig,
  'a kubeconfig with a program, indented': (secret) =>
    `config:\n  ${execKubeconfig(secret).replaceAll('\n', '\n  ')}`,
  'a kubeconfig with a program, as JSON': (secret) => JSON.stringify(parse(execKubeconfig(secret))),
  'a header': (secret) => `Authorization: Bearer ${secret}`,
  'the headers of a dump': (secret) =>
    `map[Authorization:[Bearer ${secret}] Cookie:[a=b; c=${secret}]]`,
  'a header of another scheme': (secret) => `Proxy-Authorization: Negotiate ${secret}`,
  'basic authentication': (secret) => `sent Basic ${base64(`me:${secret}`)}`,
  'a password in a URL': (secret) =>
    `GET https://me:${secret}@its1:6443/api through http://${secret}@proxy:3128`,
  'a password with signs in a URL': (secret) => `postgres://me:a/@#${secret}@db:5432/kine`,
  'a token in a query': (secret) => `GET https://its1/watch?access_token=${secret}&x=1`,
  'a flag': (secret) =>
    `FLAG: --hub-token="${secret}" --password ${secret} --client-secret=${secret}`,
  'arguments in JSON': (secret) =>
    `running {"args":["--token","${secret}"],"x":"{\\"a\\":[\\"--password\\",\\"${secret}\\"]}"}`,
  'arguments in YAML': (secret) =>
    `args: [get, --token, ${secret}]\nothers:\n- --token\n- ${secret}\n- -v=4`,
  'a variable': (secret) => `DB_PASSWORD=${secret} AWS_SECRET_ACCESS_KEY='${secret} ${secret}'`,
  'a block of YAML': (secret) => `password: |\n  ${secret}\n  ${secret}\nuser: me`,
  'a Secret in JSON': (secret) =>
    JSON.stringify({ kind: 'Secret', data: { any: base64(secret), other: secret } }),
  'credentials of a registry': (secret) =>
    JSON.stringify({ auths: { quay: { auth: base64(`me:${secret}`) } } }),
};

/** Where objects have secrets in fields of their own. */
const fields: Record<string, (secret: string) => object> = {
  arguments: (secret) => ({ args: ['--token', secret, `--password=two words ${secret}`, '-v=4'] }),
  variables: (secret) => ({ env: [{ name: 'LOGIN', value: secret }], Env: [`LOGIN=${secret}`] }),
  'variables by name': (secret) => ({ env: { LOGIN: secret, nested: { deep: secret } } }),
  'variables of a hook': (secret) => ({ defaultVars: [{ name: 'hubToken', value: secret }] }),
  'a kubeconfig': (secret) => parse(execKubeconfig(secret)) as object,
  'a template': (secret) => ({
    templates: [{ raw: { kind: 'Secret', stringData: { any: secret } } }],
  }),
  'a ConfigMap in a list': (secret) => ({ items: [{ kind: 'ConfigMap', data: { any: secret } }] }),
  'nested values': (secret) => ({
    password: { type: 'plain', text: [{ raw: secret }] },
    tokens: [secret],
  }),
  'a number': () => ({ pin: { password: 29627 } }),
  keys: (secret) => ({ 'tls.key': secret, 'client-key-data': secret, privateKey: secret }),
  'copies of kubectl': (secret) => ({
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `{"any":"${secret}"}` },
    managedFields: [{ any: secret }],
  }),
  'what WECs return': (secret) => ({
    statusFeedback: { values: [{ fieldValue: { string: secret } }] },
  }),
};

const wec = (methods: FakeMethods = {}): Kube =>
  fakeKube({
    cluster: { context: 'kind-cluster1', server: 'https://cluster1:6443' },
    list: async ({ kind }) => {
      if (kind === 'Job')
        throw new ApiError(403, {}, 'forbidden', 'Not allowed on kind-cluster1: list jobs.');
      // As a server does for its own kinds.
      const items = (objects[kind] ?? []).map(({ apiVersion: _, kind: _kind, ...item }) => item);
      return kind === 'ClusterClaim' ? undefined : items;
    },
    read: async (path, accept, query) => {
      if (path === '/version') return { gitVersion: 'v1.34.0' };
      assert.match(path, /\/secrets$/);
      assert.match(accept ?? '', /as=Table/);
      assert.deepEqual(query, { includeObject: 'None' });
      const columnDefinitions = ['Name', 'Type', 'Data', 'Age'].map((name) => ({ name }));
      return { columnDefinitions, rows: [{ cells: ['db', 'Opaque', 2, '3d'] }] };
    },
    logTail: async () => ['starting', `with ${jwt}`, ...privateKey.split('\n'), 'started'],
    ...methods,
  });

const report = (kubes: readonly Kube[]) => {
  const wecs = kubes.map((kube, index) => ({ name: `cluster${index + 1}`, kube }));
  const input: DoctorInput = { spaces: undefined, its: undefined, isItsGiven: false, wecs };
  return makeReport(input, '1.2.3');
};

async function unpacked(
  kubes: readonly Kube[],
): Promise<{ files: Map<string, string>; index: ReportIndex }> {
  const { files, index } = await report(kubes);
  const entries = await unpackTar(gunzipSync(await pack(files, 'report')));
  assert.ok(entries.every(({ header }) => header.type === 'file' && header.mode === 0o600));
  const texts = entries.map(
    ({ header, data }) => [header.name, Buffer.from(data ?? []).toString('utf8')] as const,
  );
  assert.equal(new Set(texts.map(([name]) => name)).size, texts.length);
  return { files: new Map(texts), index };
}

describe('a report', () => {
  test('contains no planted secret', async () => {
    const { files } = await unpacked([wec()]);
    for (const [name, text] of files) {
      assert.ok(
        !text.includes(canary) && !text.includes(packed) && !text.includes('eyJ'),
        `${name}: ${text}`,
      );
      assert.doesNotMatch(text, /BEGIN RSA/);
    }
    const logs = [...files].filter(([name]) => name.endsWith('.log'));
    // Of five pods in each of three namespaces, each with a previous run.
    assert.equal(logs.length, 30);
    assert.match(logs[0]?.[1] ?? '', /^starting\nwith <removed>\n<removed>\n\nstarted\n$/);
    const names = files.get(`report/clusters/cluster1/namespaces/${namespace}/secrets.json`);
    assert.deepEqual(JSON.parse(names ?? '').items, [{ name: 'db', type: 'Opaque', keys: 2 }]);
    assert.match(
      [...files.keys()].join('\n'),
      /namespaces\/open-cluster-management-agent\/configmaps\.json/,
    );
  });

  const shows = (text: string) =>
    /Kanarienvogel|canary|29627|eyJ/.test(text) || text.includes(packed.slice(0, 16));

  for (const [what, make] of Object.entries(texts))
    test(`shows no secret of ${what} in a log, an event or an annotation`, async () => {
      const text = make(canary);
      const of: Record<string, KubeObject[]> = {
        Pod: [
          object('Pod', 'p', { status: { containerStatuses: [{ name: 'c', restartCount: 0 }] } }),
        ],
        Event: [object('Event', 'e', { message: text })],
        Klusterlet: [
          object('Klusterlet', 'k', { metadata: { name: 'k', annotations: { note: text } } }),
        ],
        Deployment: [object('Deployment', 'd', { spec: { containers: [{ args: [text] }] } })],
      };
      const kube = wec({
        list: async ({ kind }) => of[kind] ?? [],
        logTail: async () => ['starting', ...text.split('\n'), 'started'],
      });
      for (const [name, content] of (await unpacked([kube])).files) {
        assert.ok(
          !shows(content) && !content.includes(privateKey.slice(40, 80)),
          `${name}: ${content}`,
        );
        if (name.endsWith('.log')) assert.match(content, /^starting\n[\s\S]+\nstarted\n$/);
      }
    });

  for (const [what, make] of Object.entries(fields))
    test(`shows no secret of ${what} in an object`, async () => {
      const items = [object('Deployment', 'd', { spec: make(canary) })];
      assert.ok(shows(JSON.stringify(items[0])));
      for (const [name, content] of (await unpacked([wec({ list: async () => items })])).files)
        assert.ok(!shows(content), `${name}: ${content}`);
    });

  test('reports what could not be collected', async () => {
    const dead = wec({
      cluster: { context: 'kind-cluster2', server: 'https://cluster2:6443' },
      read: async () => {
        throw new StellarError('unreachable', 'Cannot reach kind-cluster2: connection refused.');
      },
    });
    const { index, files } = await unpacked([wec(), dead]);
    assert.deepEqual(JSON.parse(files.get('report/index.json') ?? ''), index);
    assert.deepEqual(index.clusters, [
      {
        ...{
          name: 'cluster1',
          context: 'kind-cluster1',
          server: 'https://cluster1:6443',
          roles: ['wec'],
        },
        version: 'v1.34.0',
      },
    ]);
    const missing = index.missing.map(({ cluster, what, why }) => `${cluster}: ${what}: ${why}`);
    for (const expected of [
      'cluster2: everything: Cannot reach kind-cluster2: connection refused',
      `cluster1: jobs in ${namespace}: Not allowed on kind-cluster1: list jobs`,
      'cluster1: clusterclaims: this kind is not served',
    ])
      assert.ok(missing.includes(expected), missing.join('\n'));
  });

  test('is not written if nothing answers', () =>
    assert.rejects(
      report([
        wec({ read: () => Promise.reject(new StellarError('unreachable', 'Cannot reach it.')) }),
      ]),
      (error: StellarError) =>
        error.exitCode === 4 && error.details[0] === 'cluster1: Cannot reach it',
    ));

  test('is not written if interrupted', () =>
    assert.rejects(
      report([
        wec({ logTail: () => Promise.reject(new StellarError('interrupted', 'Interrupted.')) }),
      ]),
      { code: 'interrupted' },
    ));
});

test('names become safe path segments, each file its own', () => {
  fc.assert(
    fc.property(fc.array(fc.array(hostileText, { minLength: 1, maxLength: 4 })), (all) => {
      const contents = new Contents();
      for (const names of all) contents.addDocument(names, {});
      const paths = contents.files.map(({ path }) => path);
      assert.equal(new Set(paths.map((path) => path.toLowerCase())).size, paths.length);
      for (const path of paths)
        assert.match(
          path,
          /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-][A-Za-z0-9._-]*\.json$/,
        );
    }),
    { examples: [[[['../../../etc/cron.d/x'], ['agent'], ['Agent'], ['..'], ['']]]] },
  );
});

test('Ctrl-C leaves no file', async (t) => {
  // Accepts connections, and never answers.
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const config = oneContext({ server: `https://127.0.0.1:${port}` }, {});
  const file = writtenApart('kubeconfig', JSON.stringify(config));
  const cwd = path.dirname(file);
  const connected = once(server, 'connection');
  const child = stellarctl(['report', '--file', 'x.tar.gz'], { cwd, env: { KUBECONFIG: file } });
  await Promise.race([connected, child]);
  child.kill('SIGINT');
  assert.equal((await child).exitCode, 130);
  assert.deepEqual(readdirSync(cwd), ['kubeconfig']);
});
