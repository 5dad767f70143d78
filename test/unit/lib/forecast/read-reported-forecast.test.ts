import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  readCollectorForecast,
  readTransformForecast,
} from '../../../../src/lib/forecast/read-reported-forecast.ts';
import type { Row } from '../../../../src/lib/forecast/row.ts';
import { hidden, seen } from '../../../../src/lib/kube/access.ts';
import type { BoundObject } from '../../../../src/lib/ocm/model/kubestellar-names.ts';
import type { Wds } from '../../../../src/lib/spaces/choose/open-wds.ts';
import { binding, workOf } from '../../support/policy-builders.ts';
import { WorkloadCluster } from '../../support/workload-cluster.ts';

const web = (namespace: string, ...statusCollectors: string[]): BoundObject => ({
  ...{ group: 'apps', resource: 'deployments', namespace, name: 'web' },
  ...(statusCollectors.length > 0 && { statusCollectors }),
});
const sends = (name: string, object: BoundObject, ...destinations: string[]) =>
  binding(name, { destinations, objects: [object] });
const ofOther = (wds: string, wec: string) => ({
  ...workOf('other', wds, wec),
  spec: {
    workload: {
      manifests: [
        { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'pay' } },
      ],
    },
  },
});
const wdsWith = (
  bindings: ReturnType<typeof binding>[],
  works: ReturnType<typeof ofOther>[] | undefined = [],
) =>
  ({
    name: 'wds1',
    kube: new WorkloadCluster(bindings as never).kube,
    its: works
      ? seen({ name: 'its1', kube: new WorkloadCluster(works as never).kube })
      : hidden('no route'),
  }) as unknown as Wds;
const lines = ({ rows }: { rows: readonly Row[] }) =>
  rows.map(
    ({ effect, object, wec, policy }) =>
      `${effect} ${object?.kind} ${object?.namespace}/${object?.name} on ${wec} by ${policy}`,
  );

test('a StatusCollector that Bindings name already makes KubeStellar crash on namesakes', async () => {
  const shop = sends('shop', web('shop', 'replicas'), 'w1', 'w2');
  const crash = (wec: string) => `crashes Deployment shop/web on ${wec} by shop`;
  const rowsOf = async (name: string, ...of: Parameters<typeof wdsWith>) =>
    lines(await readCollectorForecast(name, wdsWith(...of)));
  assert.deepEqual(await rowsOf('replicas', [shop, sends('pay', web('pay'), 'w1')]), [crash('w1')]);
  assert.deepEqual(await rowsOf('other', [shop, sends('pay', web('pay'), 'w1')]), []);
  assert.deepEqual(await rowsOf('replicas', [shop, sends('pay', web('pay'), 'w3')]), []);
  // Those that another WDS sends.
  assert.deepEqual(await rowsOf('replicas', [shop], [ofOther('wds2', 'w2')]), [crash('w2')]);
  assert.deepEqual(await rowsOf('replicas', [shop]), []);
});

test('a CustomTransform leaves the works of its kind as an earlier one has made them', async () => {
  const wds = wdsWith([sends('shop', web('shop'), 'w1', 'w2')]);
  const of = (resource: string, group = 'apps') =>
    readTransformForecast({ name: 't', group, resource }, wds).then(lines);
  assert.deepEqual(await of('deployments'), [
    'stale Deployment shop/web on w1 by shop',
    'stale Deployment shop/web on w2 by shop',
  ]);
  assert.deepEqual([await of('deployments', ''), await of('daemonsets')], [[], []]);
});
