import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { unpackTar } from 'modern-tar';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import type { DoctorInput } from '../../../../src/lib/doctor/doctor.ts';
import { makeReport, pack, type ReportIndex } from '../../../../src/lib/doctor/report.ts';
import { Contents } from '../../../../src/lib/doctor/report-contents.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { ApiError } from '../../../../src/lib/kube/client/errors.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import { stellarctl } from '../../../stellarctl.ts';
import { fakeKube } from '../../support/builders.ts';
import { hostileText } from '../../support/hostile.ts';
import { canary, jwt, kubeconfig, privateKey } from '../../support/planted.ts';

const namespace = 'open-cluster-management-agent';
const object = (kind: string, name: string, rest: object = {}): KubeObject => ({
  ...{ apiVersion: 'v1', kind, metadata: { name, namespace, annotations: { note: `token: ${canary}` } } },
  ...rest,
});
const packed = Buffer.from(canary).toString('base64');
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
    object('ManifestWork', 'w', { spec: { workload: { manifests: [secret] } }, status: { conditions: [] } }),
  ],
};

const wec = (methods: Partial<Kube> = {}): Kube =>
  fakeKube({
    cluster: { context: 'kind-cluster1', server: 'https://cluster1:6443' },
    async list<T extends KubeObject>({ kind }: { kind: string }): Promise<T[] | undefined> {
      if (kind === 'Job') throw new ApiError(403, {}, 'forbidden', 'Not allowed on kind-cluster1: list jobs.', {});
      // As a server does for its own kinds.
      const items = (objects[kind] ?? []).map(({ apiVersion: _, kind: _kind, ...item }) => item);
      return (kind === 'ClusterClaim' ? undefined : items) as T[] | undefined;
    },
    async read<T>(path: string, accept?: string, query?: object): Promise<T | undefined> {
      if (path === '/version') return { gitVersion: 'v1.34.0' } as T;
      assert.match(path, /\/secrets$/);
      assert.match(accept ?? '', /as=Table/);
      assert.deepEqual(query, { includeObject: 'None' });
      const columnDefinitions = ['Name', 'Type', 'Data', 'Age'].map((name) => ({ name }));
      return { columnDefinitions, rows: [{ cells: ['db', 'Opaque', 2, '3d'] }] } as T;
    },
    logTail: async () => ['starting', `with ${jwt}`, ...privateKey.split('\n'), 'started'],
    ...methods,
  });

const report = (kubes: readonly Kube[]) => {
  const wecs = kubes.map((kube, index) => ({ name: `cluster${index + 1}`, kube }));
  const input: DoctorInput = { spaces: undefined, its: undefined, isItsAssumed: false, wecs };
  return makeReport({ ...input, status: async () => ({ hosting: null }), version: '1.2.3' });
};

async function unpacked(kubes: readonly Kube[]): Promise<{ files: Map<string, string>; index: ReportIndex }> {
  const { files, index } = await report(kubes);
  const entries = await unpackTar(gunzipSync(await pack(files, 'report')));
  assert.ok(entries.every(({ header }) => header.type === 'file' && header.mode === 0o600));
  const texts = entries.map(({ header, data }) => [header.name, Buffer.from(data ?? []).toString('utf8')] as const);
  assert.equal(new Set(texts.map(([name]) => name)).size, texts.length);
  return { files: new Map(texts), index };
}

describe('a report', () => {
  test('contains no planted secret', async () => {
    const { files } = await unpacked([wec()]);
    for (const [name, text] of files) {
      assert.ok(!text.includes(canary) && !text.includes(packed) && !text.includes('eyJ'), `${name}: ${text}`);
      assert.doesNotMatch(text, /BEGIN RSA/);
    }
    const log = [...files].find(([name]) => name.endsWith('.log'))?.[1];
    assert.match(log ?? '', /^starting\nwith <removed>\n<removed>\n\nstarted\n$/);
    const names = files.get(`report/clusters/cluster1/namespaces/${namespace}/secrets.json`);
    assert.deepEqual(JSON.parse(names ?? '').items, [{ name: 'db', type: 'Opaque', keys: 2 }]);
    assert.match([...files.keys()].join('\n'), /namespaces\/open-cluster-management-agent\/configmaps\.json/);
  });

  test('unpacks within its folder, whatever the names of its objects', async () => {
    const { files } = await unpacked([wec()]);
    const names = [...files.keys()];
    for (const name of names)
      assert.match(name, /^report\/(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-][A-Za-z0-9._-]*$/);
    assert.equal(new Set(names.map((name) => name.toLowerCase())).size, names.length);
    // Of five pods in each of three namespaces, each with a previous run.
    assert.equal(names.filter((name) => name.endsWith('.log')).length, 30);
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
        ...{ name: 'cluster1', context: 'kind-cluster1', server: 'https://cluster1:6443', roles: ['wec'] },
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
      report([wec({ read: () => Promise.reject(new StellarError('unreachable', 'Cannot reach it.')) })]),
      (error: StellarError) => error.exitCode === 4 && error.details[0] === 'cluster1: Cannot reach it',
    ));

  test('is not written if interrupted', () =>
    assert.rejects(report([wec({ logTail: () => Promise.reject(new StellarError('interrupted', 'Interrupted.')) })]), {
      code: 'interrupted',
    }));
});

test('names become safe path segments, each file its own', () => {
  fc.assert(
    fc.property(fc.array(fc.array(hostileText, { minLength: 1, maxLength: 4 })), (all) => {
      const contents = new Contents();
      for (const names of all) contents.addDocument(names, {});
      const paths = contents.files.map(({ path }) => path);
      assert.equal(new Set(paths.map((path) => path.toLowerCase())).size, paths.length);
      for (const path of paths)
        assert.match(path, /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-][A-Za-z0-9._-]*\.json$/);
    }),
  );
});

test('Ctrl-C leaves no file', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'report-'));
  // Accepts connections, and never answers.
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const cluster = { server: `https://127.0.0.1:${port}` };
    const kubeconfig = {
      clusters: [{ name: 'c', cluster }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: {} }],
      'current-context': 'c',
    };
    const file = path.join(folder, 'kubeconfig');
    await writeFile(file, JSON.stringify(kubeconfig));
    const connected = once(server, 'connection');
    const child = stellarctl(['report', '--file', 'x.tar.gz'], { cwd: folder, env: { KUBECONFIG: file } });
    await Promise.race([connected, child]);
    child.kill('SIGINT');
    assert.equal((await child).exitCode, 130);
    assert.deepEqual(await readdir(folder), ['kubeconfig']);
  } finally {
    server.close();
    await rm(folder, { recursive: true });
  }
});
