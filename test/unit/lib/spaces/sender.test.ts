import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ifSeen, seen } from '../../../../src/lib/kube/access.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import type { OpenWds } from '../../../../src/lib/spaces/open-wds.ts';
import { readDelivery } from '../../../../src/lib/workloads/delivery-evidence.ts';
import { inspectPolicy } from '../../../../src/lib/workloads/inspect-policy.ts';
import { listPolicies } from '../../../../src/lib/workloads/policy-list.ts';
import { refreshPolicy } from '../../../../src/lib/workloads/refresh-policy.ts';
import { getReturned } from '../../../../src/lib/workloads/returned.ts';
import { soon } from '../../support/space-builders.ts';
import { failsWith } from '../../support/steps.ts';
import { WorkloadCluster } from '../../support/workload-cluster.ts';

type Typed = KubeObject & { kind: string };
const uid = '01234567-89ab-4cde-8f01-23456789abcd';
const otherUid = '11234567-89ab-4cde-8f01-23456789abcd';
const policy: Typed = { kind: 'BindingPolicy', metadata: { name: 'shop', generation: 1, resourceVersion: '1' } };
const binding = {
  kind: 'Binding',
  metadata: { name: 'shop', uid, generation: 1 },
  spec: {
    destinations: [{ clusterId: 'w1' }],
    workload: { clusterScope: [{ group: '', version: 'v1', resource: 'namespaces', name: 'shop' }] },
  },
  status: { observedGeneration: 1 },
} as Typed;
const space: Typed = { kind: 'Namespace', metadata: { name: 'shop' } };
const labelsOf = (wds: string) => ({
  'transport.kubestellar.io/originOwnerReferenceBindingKey': 'shop',
  'transport.kubestellar.io/originWdsName': wds,
});
const work = (name: string, wds: string): Typed => ({
  kind: 'ManifestWork',
  metadata: { name, namespace: 'w1', uid: name, resourceVersion: '1', labels: labelsOf(wds) },
});
const own = work(`${uid}-wds1-${otherUid}`, 'wds1');
const foreign = work(`${otherUid}-wds2-${uid}`, 'wds2');
const packed = (wds: string) => work(`shop-${wds}-0`, wds);

/** A WDS with a context whose name differs from that in works. */
const opened = (works: Typed[], name = 'admin@wds1', isContext = true): OpenWds => ({
  ...{ name, isContext, isGiven: true, context: name, type: undefined, apiGroups: [] },
  kube: new WorkloadCluster([policy, binding, space]).kube,
  its: seen({ name: 'its1', kube: new WorkloadCluster(works).kube }),
});
const unproven = { code: 'identity-unproven' };
const worksIn = async (wds: OpenWds) => ifSeen((await readDelivery(wds)).works)?.newest.size;
const toDelete = async (wds: OpenWds) => (await inspectPolicy('shop', wds)).works.map(({ metadata }) => metadata.name);

describe('the name of a WDS on its works', () => {
  test('comes from the UID of a Binding in their names, whatever its context is called', async () => {
    const wds = opened([foreign, own]);
    assert.equal(await worksIn(wds), 1);
    assert.deepEqual(await toDelete(wds), [own.metadata.name]);
    assert.equal((await refreshPolicy('shop', wds, { ...soon(), dryRun: true })).works, 1);
  });
  test('comes from the hosting cluster, if that shows the WDS', async () =>
    assert.deepEqual(await toDelete(opened([foreign, own], 'wds2', false)), [foreign.metadata.name]));
  test('is not that of another WDS with a policy of that name', async () => {
    const wds = opened([foreign], 'wds2');
    assert.equal(await worksIn(wds), 0);
    await assert.rejects(toDelete(wds), unproven);
    await assert.rejects(refreshPolicy('shop', wds, soon()), unproven);
  });
  test('comes from works of several objects for display, but not for deletion or rewriting', async () => {
    const wds = opened([packed('wds1')]);
    assert.equal(await worksIn(wds), 1);
    await assert.rejects(toDelete(wds), unproven);
    await assert.rejects(refreshPolicy('shop', wds, soon()), unproven);
  });
  test('needs the same proof if only the user says which ITS it is', async () => {
    const assumed = (works: Typed[]) => ({ ...opened(works, 'wds1', false), isItsAssumed: true });
    assert.deepEqual(await toDelete(assumed([foreign, own])), [own.metadata.name]);
    await assert.rejects(
      toDelete(assumed([packed('wds1')])),
      failsWith({ ...unproven, steps: /stellarctl wds get wds1/ }),
    );
    await assert.rejects(toDelete(assumed([])), unproven);
  });
  test('is that of the context, if works of several objects carry it: which is no proof', async () => {
    const wds = opened([packed('wds1'), packed('wds2')], 'wds2');
    assert.equal(await worksIn(wds), 1);
    await assert.rejects(toDelete(wds), unproven);
  });
  test('is unknown if works of several WDSes are possible', async () => {
    const { view, errors } = await listPolicies(opened([packed('wds1'), packed('wds2')]));
    assert.deepEqual(
      [view[0]?.deliveries, new Set(errors.map(({ code }) => code))],
      [null, new Set(['identity-unproven'])],
    );
  });
  test('finds the statuses that WECs have returned', async () => {
    const status = {
      kind: 'WorkStatus',
      metadata: { name: 's', namespace: 'w1', labels: labelsOf('wds1') },
      spec: { sourceRef: { resource: 'namespaces', name: 'shop' } },
      status: { phase: 'Active' },
    } as Typed;
    const { view } = await getReturned({ kind: 'namespace', name: 'shop', namespace: 'x' }, opened([own, status]));
    assert.deepEqual(view.wecs, [{ wec: 'w1', status: { phase: 'Active' } }]);
  });
});
