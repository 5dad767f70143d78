/** A stub answers as a plane does, as far as a registration asks. That it registers: test/e2e/wec/fleet.long.test.ts. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bed, StubWecs, startBed } from './index.ts';
import { Api } from './kube/api.ts';
import { isTrue } from './kube/conditions.ts';
import type { ApiError } from './kube/errors.ts';
import type { AnyObject, Condition, KubeObject } from './kube/objects.ts';
import { configMaps, deployments, klusterlets, namespaces, pods, secrets } from './kube/resources.ts';

const names = ['stub1', 'stub2'];

let bed: Bed;
let stubs: StubWecs;
let clients: Map<string, Api>;

before(async () => {
  bed = await startBed({ planes: [{ name: 'its1' }], log: console.error });
  stubs = await StubWecs.start(bed.plane('its1'), { names });
  clients = new Map(stubs.entries.map(({ context, connection }) => [context, new Api(connection)]));
});

after(async () => {
  for (const client of clients?.values() ?? []) client.close();
  stubs?.stop();
  await bed?.stop();
});

const clientOf = (name: string): Api => clients.get(name) ?? bed.plane(name).admin;

for (const name of ['its1', 'stub1']) {
  describe(`${name === 'its1' ? 'a plane' : 'a stub'}, asked directly`, () => {
    const namespace = 'asked';
    const data = { a: 'b', c: 'd' };
    const metadata = { name: 'one', namespace };
    let api: Api;

    before(async () => {
      api = clientOf(name);
      await api.create(namespaces, { metadata: { name: namespace } });
    });

    it('gives each object a UID, a resourceVersion and a time, and rejects a second one of its name', async () => {
      const made = await api.create(configMaps, { metadata, data } as KubeObject);
      assert.match(`${made.metadata.uid} ${made.metadata.creationTimestamp}`, /^[0-9a-f-]{36} \d{4}-.*Z$/);
      assert.deepEqual(await outcomeOf(api.create(configMaps, { metadata })), [409, 'AlreadyExists']);
    });

    it('rejects missing objects, and kinds that it does not serve', async () => {
      assert.deepEqual(await outcomeOf(api.get(configMaps, `${namespace}/two`)), [404, 'NotFound']);
      assert.deepEqual(await outcomeOf(api.list({ ...klusterlets, plural: 'unserved' })), [404, '']);
      const elsewhere = { name: 'one', namespace: 'absent' };
      assert.deepEqual(await outcomeOf(api.create(configMaps, { metadata: elsewhere })), [404, 'NotFound']);
    });

    it('names its versions of the core API', async () => {
      assert.deepEqual((await api.send<{ versions: string[] }>('GET', '/api')).versions, ['v1']);
    });

    it('changes the resourceVersion of a changed object, and of no other', async () => {
      const patch = (body: object) => api.patch<AnyObject>(configMaps, `${namespace}/one`, body);
      const first = await patch({ data: { c: null, e: 'f' }, metadata: { labels: { env: 'edge' } } });
      assert.deepEqual(first.data, { a: 'b', e: 'f' });
      const second = await patch({ data: { e: 'f' } });
      assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
      const stale = { metadata: { resourceVersion: '1' }, data };
      assert.deepEqual(await outcomeOf(patch(stale)), [409, 'Conflict']);
    });

    it('applies an existing or a missing object, and changes nothing if there is no difference', async () => {
      const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied', namespace }, data };
      const apply = () =>
        api.patch(configMaps, `${namespace}/applied`, applied, { type: 'apply', fieldManager: 'tests' });
      const first = await apply();
      assert.equal((await apply()).metadata.resourceVersion, first.metadata.resourceVersion);
    });

    it('lists by labels, by name and by namespace', async () => {
      const listed = async (options: object) =>
        (await api.list(configMaps, { namespace, ...options })).items
          .map((item) => item.metadata.name)
          .filter((each) => each !== 'kube-root-ca.crt');
      assert.deepEqual(await listed({ labelSelector: 'env=edge' }), ['one']);
      assert.deepEqual(await listed({ labelSelector: 'env in (edge, core)' }), ['one']);
      assert.deepEqual(await listed({ labelSelector: '!env' }), ['applied']);
      assert.deepEqual(await listed({ fieldSelector: 'metadata.name=applied' }), ['applied']);
      assert.deepEqual(await listed({}), ['applied', 'one']);
    });

    it('keeps the status separate, and counts generations of the rest', async () => {
      const template = {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'web', image: 'nginx' }] },
      };
      const spec = { replicas: 0, selector: { matchLabels: { app: 'web' } }, template };
      const key = `${namespace}/web`;
      const made = await api.create<AnyObject>(deployments, { metadata: { name: 'web', namespace }, spec });
      assert.equal(made.metadata.generation, 1);
      const scaled = await api.patch<AnyObject>(deployments, key, { spec: { replicas: 1 }, status: { replicas: 7 } });
      assert.equal(scaled.metadata.generation, 2);
      assert.notEqual((scaled.status as { replicas?: number }).replicas, 7);
      await until(async () => {
        const { items } = await api.list<AnyObject>(pods, { namespace, labelSelector: 'app=web' });
        return isTrue(conditionsOf(items[0]), 'Ready') || undefined;
      });
      await until(async () => isTrue(conditionsOf(await api.get(deployments, key)), 'Available') || undefined);
    });

    it('deletes only the requested object, and with a finalizer only once that is removed', async () => {
      const key = `${namespace}/held`;
      const held = { name: 'held', namespace, finalizers: ['tests/held'] };
      const { metadata: made } = await api.create(configMaps, { metadata: held });
      const other = { preconditions: { uid: '00000000-0000-0000-0000-000000000000' } };
      assert.deepEqual(await outcomeOf(api.delete(configMaps, key, other)), [409, 'Conflict']);
      await api.delete(configMaps, key, { preconditions: { uid: made.uid ?? '' } });
      assert.ok((await api.get(configMaps, key)).metadata.deletionTimestamp);
      await api.patch(configMaps, key, { metadata: { finalizers: null } });
      assert.equal(await api.find(configMaps, key), undefined);
    });

    it('deletes the dependents of an object, and the contents of a namespace', async () => {
      const { metadata: owner } = await api.get(configMaps, `${namespace}/applied`);
      const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'applied', uid: owner.uid ?? '' }];
      await api.create(secrets, { metadata: { name: 'owned', namespace, ownerReferences } });
      await api.delete(configMaps, `${namespace}/applied`, { propagationPolicy: 'Background' });
      await until(async () => ((await api.find(secrets, `${namespace}/owned`)) === undefined ? true : undefined));
      await api.delete(namespaces, namespace);
      await until(async () => ((await api.find(namespaces, namespace)) === undefined ? true : undefined));
      assert.equal(await api.find(configMaps, `${namespace}/one`), undefined);
    });
  });
}

describe('stubs', () => {
  it('are separate clusters', async () => {
    const uids = await Promise.all(
      names.map(async (name) => (await clientOf(name).get(namespaces, 'kube-system')).metadata.uid),
    );
    assert.equal(new Set(uids).size, names.length);
  });
});

/** How a request was refused. */
async function outcomeOf(request: Promise<unknown>): Promise<[number, string]> {
  const error = await request.then(
    () => assert.fail('it was not refused'),
    (refusal: ApiError) => refusal,
  );
  return [error.status, error.reason];
}

const conditionsOf = (object: AnyObject | KubeObject | undefined): Condition[] =>
  (object as { status?: { conditions?: Condition[] } } | undefined)?.status?.conditions ?? [];

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + 40_000; Date.now() < deadline; await sleep(100)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error('it was not so after 40 s');
}
