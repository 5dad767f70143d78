import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import { describe, test } from 'node:test';
import { Deadline } from '../../../../../src/lib/engine/deadline.ts';
import type { Kube, Permission, Selection } from '../../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import { shareReads } from '../../../../../src/lib/kube/client/shared-reads.ts';
import type { KubeObject } from '../../../../../src/lib/kube/objects.ts';
import { may } from '../../../../../src/lib/kube/permissions.ts';
import { type Resource, resources } from '../../../../../src/lib/kube/resources.ts';
import { fakeKube, run } from '../../../support/builders.ts';

const names = Array.from({ length: 40 }, (_, index) => `wec${index + 1}`);
const cluster = { context: 'its1', server: 'https://its1' };
const forbidden = () => apiError(cluster, 403, '{"kind":"Status","message":"no"}');

interface FakeHub extends Partial<Kube> {
  objects?: KubeObject[];
  mayList?: boolean;
}

/** A hub with these objects that records its requests, and is shared by many names. */
function hubOf({ objects = [], mayList = true, ...methods }: FakeHub = {}, within = run()) {
  const asked: string[] = [];
  const get = async (resource: Resource, name: string, { namespace = '' }: { namespace?: string | undefined } = {}) => {
    asked.push(`get ${resource.plural} ${namespace}/${name}`);
    return objects.find(({ metadata }) => metadata.name === name && (metadata.namespace ?? '') === namespace);
  };
  const list = async (resource: Resource, { namespace, labelSelector }: Selection = {}) => {
    asked.push(`list ${resource.plural} ${namespace ?? '*'} ${labelSelector ?? '*'}`);
    if (!mayList && namespace === undefined) throw forbidden();
    return objects.filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
  };
  const alone = fakeKube({ get, list, ...methods } as Partial<Kube>);
  return { asked, single: alone, hub: shareReads(alone, names.length, within) };
}

const clusters = names.map((name) => ({ metadata: { name } }));
const leases = names.map((namespace) => ({ metadata: { name: 'lease', namespace } }));
const requests = names.map((name) => ({ metadata: { name: `csr-${name}`, labels: { app: 'a', of: name } } }));

describe('reads shared by many names', () => {
  test('are single reads of the client for few names', () => {
    const { single } = hubOf();
    assert.equal(shareReads(single, 10, run()), single);
  });

  test('of many objects are one list, and each name gets its own object', async () => {
    const { hub, asked } = hubOf({ objects: clusters });
    const found = await Promise.all([...names, 'absent'].map((name) => hub.get(resources.managedClusters, name)));
    assert.deepEqual(
      found.map((object) => object?.metadata.name),
      [...names, undefined],
    );
    const { apiVersion, kind } = resources.managedClusters;
    assert.deepEqual(found[0], { apiVersion, kind, metadata: { name: 'wec1' } });
    assert.deepEqual(asked, ['list managedclusters * *']);
  });

  test('of metadata only are lists of metadata only, apart from those of whole objects', async () => {
    const forms: unknown[] = [];
    const list = async (_: Resource, { metadataOnly }: Selection = {}) => {
      forms.push(metadataOnly);
      return leases.map((lease) => (metadataOnly ? lease : { ...lease, spec: {} }));
    };
    const { hub } = hubOf({ list: list as never });
    const all = [true, false].flatMap((metadataOnly) =>
      names.map(async (namespace) => {
        const [lease] = (await hub.list(resources.leases, { namespace, metadataOnly })) ?? [];
        return lease !== undefined && 'spec' in lease === !metadataOnly;
      }),
    );
    assert.ok((await Promise.all(all)).every(Boolean));
    assert.deepEqual(forms, [true, false]);
  });

  test('give each caller what it keeps of the objects', async () => {
    const list = async (_: Resource, { trim }: Selection = {}) => leases.map((lease) => trim?.(lease) ?? lease);
    const { hub } = hubOf({ list: list as never });
    const kept = ['a', 'b'].map(async (label) => {
      const trim = ({ metadata }: KubeObject) => ({ metadata: { ...metadata, labels: { [label]: '' } } });
      const [lease] = (await hub.list(resources.leases, { namespace: 'wec1', trim })) ?? [];
      return lease?.metadata.labels;
    });
    assert.deepEqual(await Promise.all(kept), [{ a: '' }, { b: '' }]);
  });

  test('of one path with different queries are different reads', async () => {
    const read = async (...asked: unknown[]) => asked;
    const { hub } = hubOf({ read: read as never });
    const queries = [{ a: '1' }, { a: '2' }];
    assert.deepEqual(
      await Promise.all(queries.map((query) => hub.read('/healthz', undefined, query))),
      queries.map((query) => ['/healthz', undefined, query]),
    );
  });

  test('of a few objects are reads of each', async () => {
    const { hub, asked } = hubOf({ objects: clusters });
    await Promise.all(['wec1', 'wec2', 'wec1'].map((name) => hub.get(resources.managedClusters, name)));
    assert.deepEqual(asked, ['get managedclusters /wec1', 'get managedclusters /wec2']);
  });

  test('in many namespaces are one list of all, and in one namespace a list of that namespace', async () => {
    const { hub, asked } = hubOf({ objects: [...leases, ...clusters] });
    const inOwn = names.map((namespace) => hub.get(resources.leases, 'lease', { namespace }));
    const inOne = names.map((name) => hub.get(resources.configMaps, name, { namespace: 'properties' }));
    assert.deepEqual(
      (await Promise.all(inOwn)).map((lease) => lease?.metadata.namespace),
      names,
    );
    await Promise.all(inOne);
    assert.deepEqual(asked, ['list leases * *', 'list configmaps properties *']);
  });

  test('of lists of namespaces, or by values of a label, are one list', async () => {
    const { hub, asked } = hubOf({ objects: [...leases, ...requests] });
    const works = await Promise.all(
      [...names, 'empty'].map((namespace) => hub.list(resources.manifestWorks, { namespace })),
    );
    assert.deepEqual(
      works.map((own) => own?.map(({ metadata }) => metadata.namespace)),
      [...names.map((name) => [name]), []],
    );
    const csrs = await Promise.all(
      names.map((name) => hub.list(resources.certificateSigningRequests, { labelSelector: `app,of=${name}` })),
    );
    assert.deepEqual(
      csrs.map((own) => own?.map(({ metadata }) => metadata.name)),
      names.map((name) => [`csr-${name}`]),
    );
    assert.deepEqual(asked, ['list manifestworks * *', 'list certificatesigningrequests * app,of']);
  });

  test('report that a kind is not served', async () => {
    const { hub } = hubOf({ list: async () => undefined });
    const works = await Promise.all(names.map((namespace) => hub.list(resources.manifestWorks, { namespace })));
    assert.deepEqual(new Set(works), new Set([undefined]));
  });

  test('start after their requests: a read in progress does not serve later requests', async () => {
    let end: (objects: KubeObject[]) => void = () => {};
    const { hub, asked } = hubOf({
      list: (async () => {
        asked.push('list');
        return new Promise((resolve) => {
          end = resolve as typeof end;
        });
      }) as Kube['list'],
    });
    const ask = () => Promise.all(names.map((name) => hub.get(resources.managedClusters, name)));
    const first = ask();
    while (asked.length === 0) await new Promise(setImmediate);
    const second = ask();
    end([]);
    assert.deepEqual(new Set(await first), new Set([undefined]));
    while (asked.length === 1) await new Promise(setImmediate);
    end(clusters);
    assert.equal((await second)[0]?.metadata.name, 'wec1');
  });

  test('that fail do so for all current requests, and no others', async () => {
    let fails = true;
    const { hub } = hubOf({
      list: (async () => {
        if (fails) throw apiError(cluster, 500, 'broken');
        return clusters;
      }) as Kube['list'],
    });
    const ask = () => Promise.allSettled(names.map((name) => hub.get(resources.managedClusters, name)));
    assert.deepEqual(new Set((await ask()).map(({ status }) => status)), new Set(['rejected']));
    fails = false;
    assert.deepEqual(new Set((await ask()).map(({ status }) => status)), new Set(['fulfilled']));
  });

  test('are made one by one if the list is not allowed, and are not repeated if nothing is', async () => {
    const twelve = names.slice(0, 12);
    const { hub, asked } = hubOf({
      mayList: false,
      get: (async (_: Resource, name: string) => {
        asked.push(name);
        if (name === 'wec1') throw forbidden();
        return { metadata: { name } };
      }) as Kube['get'],
    });
    const ask = () => Promise.allSettled(twelve.map((name) => hub.get(resources.managedClusters, name)));
    const outcomes = await ask();
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', ...twelve.slice(1).map(() => 'fulfilled')],
    );
    await ask();
    assert.deepEqual(asked, ['list managedclusters * *', ...twelve, ...twelve.slice(1)]);
  });

  test('are limited to twenty a second after the first ones', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.now() });
    syncBuiltinESMExports();
    t.after(() => {
      t.mock.timers.reset();
      syncBuiltinESMExports();
    });
    let reads = 0;
    const { hub } = hubOf({
      read: async () => {
        reads += 1;
        return undefined;
      },
    });
    const all = Promise.all(names.slice(0, 30).map((name) => hub.read(`/apis/${name}`)));
    const counts: number[] = [];
    for (let half = 0; half < 4; half += 1) {
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      counts.push(reads);
      t.mock.timers.tick(500);
    }
    await all;
    assert.deepEqual(counts, [0, 10, 20, 30]);
  });

  test('end with Ctrl-C, whatever they wait for', async () => {
    const interrupt = new AbortController();
    const { hub } = hubOf({}, { ...run(), deadline: new Deadline(60_000), signal: interrupt.signal });
    const reads = Promise.allSettled(names.map((name) => hub.read(`/apis/${name}`)));
    interrupt.abort();
    const failed = (await reads).filter(({ status }) => status === 'rejected');
    assert.ok(failed.length > 0);
  });

  test('check access to everything once, and to each only without that', async () => {
    const questions: Permission[] = [];
    const { hub } = hubOf({
      mayI: async (permission) => {
        questions.push(permission);
        return permission.verb === 'get' || permission.name === 'wec2';
      },
    });
    const ask = (verb: string, name: string) => hub.mayI(may(verb, resources.managedClusters, { name }));
    assert.deepEqual(await Promise.all(names.map((name) => ask('get', name))), Array(40).fill(true));
    assert.deepEqual(await Promise.all([ask('patch', 'wec1'), ask('patch', 'wec2')]), [false, true]);
    assert.equal(await ask('patch', 'wec2'), true);
    assert.deepEqual(
      questions.map(({ verb, name }) => `${verb} ${name ?? 'all'}`),
      ['get all', 'patch all', 'patch wec1', 'patch wec2'],
    );
  });
});
