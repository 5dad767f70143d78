import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noForecast } from '../../../../../src/lib/forecast/read-forecast.ts';
import type { KubeObject } from '../../../../../src/lib/kube/client/objects.ts';
import { refreshPolicy } from '../../../../../src/lib/policies/refresh-policy.ts';
import type { Wds } from '../../../../../src/lib/spaces/choose/open-wds.ts';
import {
  getTransform,
  listTransforms,
  transformSpec,
} from '../../../../../src/lib/workloads/delivery/transforms.ts';
import {
  createReported,
  deleteReported,
} from '../../../../../src/lib/workloads/selection/create-object.ts';
import { hurry } from '../../../support/fake-time.ts';
import { binding } from '../../../support/policy-builders.ts';
import {
  inSpace,
  MemoryCluster,
  pod,
  soon,
  waitForNothing,
  wdsDeployments,
  wds as wdsOf,
} from '../../../support/space-builders.ts';
import { WorkloadCluster } from '../../../support/workload-cluster.ts';
import { notedWork, openWds } from '../open-wds.ts';

type Typed = KubeObject & { kind?: string };
const deployment = (name: string, spec: object): Typed =>
  ({ kind: 'Deployment', metadata: { name, namespace: 'shop' }, spec }) as Typed;
const transform = (name: string, remove: string[], status = {}): Typed =>
  ({
    kind: 'CustomTransform',
    metadata: { name, uid: name },
    spec: { apiGroup: 'apps', resource: 'deployments', remove },
    status,
  }) as Typed;

function wdsWith(objects: Typed[], works: Typed[] = []) {
  const [cluster, its] = [new WorkloadCluster(objects), new WorkloadCluster(works)];
  const wds = openWds(cluster.kube, its.kube, { type: 'host' });
  return { wds, cluster, its };
}

const sent = [
  deployment('web', { replicas: 2 }),
  deployment('api', {}),
  deployment('unsent', { replicas: 1 }),
  binding('p', {
    objects: ['web', 'api'].map((name) => ({
      ...{ group: 'apps', version: 'v1', resource: 'deployments', namespace: 'shop', name },
    })),
  }),
];
const spec = {
  apiGroup: 'apps',
  resource: 'deployments',
  remove: ['$.spec.replicas', '$.spec.paused'],
};

const harmless = async () => noForecast;

describe('a CustomTransform', () => {
  test('is created once, for a kind by any of its names', async (t) => {
    hurry(t);
    const { wds, cluster } = wdsWith(sent);
    const asked = await transformSpec('deployment', spec.remove, wds);
    assert.deepEqual(asked, spec);
    const create = (on: Wds) =>
      createReported('transform', { name: 't', spec: asked }, on, harmless, soon());
    assert.equal((await create(wds)).changed, true);
    assert.deepEqual(cluster.writes, ['create CustomTransform']);
    const again = wdsWith([...sent, transform('t', spec.remove)]);
    assert.equal((await create(again.wds)).changed, false);
    assert.deepEqual(again.cluster.writes, []);
  });

  test('is rejected as a replacement for another one', async () => {
    const { wds, cluster } = wdsWith([...sent, transform('other', ['$.a'])]);
    const create = (name: string, remove: string[]) =>
      createReported('transform', { name, spec: { ...spec, remove } }, wds, harmless, soon());
    await assert.rejects(create('other', ['$.b']), {
      code: 'name-taken',
      message: /a different CustomTransform other/,
    });
    assert.deepEqual(cluster.writes, []);
  });

  test('is listed with its errors', async () => {
    const broken = transform('a', ['$..[bad'], { errors: ['Error in spec.remove[0]'] });
    const views = await listTransforms(wdsWith([broken, transform('b', ['$.x'])]).wds);
    assert.deepEqual(
      views.map(({ name, errors }) => [name, errors.length]),
      [
        ['a', 1],
        ['b', 0],
      ],
    );
  });

  test('is reported as broken once KubeStellar has said so', async () => {
    const { wds } = wdsWith([transform('a', ['$..[bad'], { errors: ['Error in spec.remove[0]'] })]);
    const { error } = await createReported(
      'transform',
      { name: 'a', spec: { ...spec, remove: ['$..[bad'] } },
      wds,
      harmless,
      soon(),
    );
    assert.deepEqual(
      [error?.code, error?.details],
      ['expression-invalid', ['Error in spec.remove[0]']],
    );
  });

  test('is deleted, even if broken', async () => {
    const { wds, cluster } = wdsWith([...sent, transform('a', ['$..[bad'])]);
    const { transform: broken } = await getTransform(wds, 'a');
    const result = await deleteReported('transform', broken, wds, noForecast, soon());
    assert.equal(result.changed, true);
    assert.deepEqual(cluster.writes, ['delete CustomTransform a']);
  });
});

describe('works of a policy are rewritten', () => {
  const work = (name: string, noted?: string): Typed => {
    const { metadata, ...rest } = notedWork('p', 'w1', noted);
    return { ...rest, metadata: { ...metadata, name, uid: name, resourceVersion: '1' } };
  };

  test('by removing the record of their generation', async () => {
    const { wds, its } = wdsWith([], [work('a', '3'), work('b', '3')]);
    const result = await refreshPolicy('p', wds, soon());
    assert.deepEqual([result.works, result.changed], [2, true]);
    assert.deepEqual(its.writes, ['merge ManifestWork a', 'merge ManifestWork b']);
  });

  test('again where the transport has used the earlier value of a property', async () => {
    const object = (region: string): Typed =>
      ({
        ...{ apiVersion: 'v1', kind: 'ConfigMap' },
        metadata: {
          ...{ name: 'c', namespace: 'shop' },
          annotations: { 'control.kubestellar.io/expand-templates': 'true' },
        },
        data: { region },
      }) as Typed;
    const properties: Typed = {
      kind: 'ConfigMap',
      metadata: { name: 'w1', namespace: 'customization-properties' },
      data: { region: 'new' },
    } as Typed;
    /** @param uses what the transport fills in at each rewriting */
    const refreshed = async (uses: string[]) => {
      const manifest = (region: string) => ({ workload: { manifests: [object(region)] } });
      const sentWork = { ...work('a', '3'), spec: manifest('old') };
      const wec: Typed = { kind: 'ManagedCluster', metadata: { name: 'w1' } };
      const { wds, its } = wdsWith([object('{{.region}}')], [sentWork, wec, properties]);
      const { merge } = its.kube;
      its.kube.merge = async (...patch) => {
        Object.assign(sentWork, { spec: manifest(uses.shift() ?? 'old') });
        return merge(...patch);
      };
      const waits = waitForNothing();
      const { error } = await refreshPolicy('p', wds, soon(300));
      waits();
      return [error?.code, its.writes.length];
    };
    assert.deepEqual(await refreshed(['new']), [undefined, 1]);
    assert.deepEqual(await refreshed(['old', 'old', 'new']), [undefined, 3]);
    assert.deepEqual(await refreshed([]), ['timeout', 5]);
  });

  test('once where only an annotation of kubectl is left out', async () => {
    const space = (metadata: object): Typed =>
      ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', ...metadata } }) as Typed;
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
    const sentWork = { ...work('a', '3'), spec: { workload: { manifests: [space({})] } } };
    const { wds, its } = wdsWith([space({ annotations })], [sentWork]);
    const { error } = await refreshPolicy('p', wds, soon(300));
    assert.deepEqual([error, its.writes.length], [undefined, 1]);
  });

  test('but not while the transport does not run', async () => {
    const { wds, its } = wdsWith([], [work('a', '3')]);
    const [transport] = wdsDeployments('its1').map((each) => inSpace('Deployment', 'wds1', each));
    assert.ok(transport !== undefined);
    const crashing = { waiting: { reason: 'CrashLoopBackOff' }, lastExitCode: 1, restarts: 4 };
    const controller = inSpace('Pod', 'wds1', pod('transport-controller-x', crashing));
    const { kube: hostingKube } = new MemoryCluster([
      wdsOf('wds1'),
      { ...transport, status: {} } as Typed,
      controller,
    ]);
    const refused = { code: 'workload-blocked', message: /rewrites nothing: .*it keeps crashing/ };
    await assert.rejects(refreshPolicy('p', { ...wds, hostingKube }, soon()), refused);
    assert.deepEqual(its.writes, []);
  });

  test('but a missing policy is not a policy without works', async () => {
    await assert.rejects(refreshPolicy('other', wdsWith(sent).wds, soon()), { code: 'not-found' });
    const policy: Typed = {
      kind: 'BindingPolicy',
      metadata: { name: 'p', uid: 'p', resourceVersion: '1' },
    };
    assert.equal((await refreshPolicy('p', wdsWith([policy]).wds, soon())).works, 0);
  });

  test('and waited for', async () => {
    const { wds } = wdsWith([], [work('a')]);
    const { error } = await refreshPolicy('p', wds, soon(0));
    assert.deepEqual(
      [error?.code, error?.message],
      ['timeout', 'The transport of wds1 has not rewritten 1 work of p in time.'],
    );
  });
});
