import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ifSeen, seen } from '../../../../../src/lib/kube/access.ts';
import type { KubeObject } from '../../../../../src/lib/kube/client/objects.ts';
import { inspectPolicy } from '../../../../../src/lib/policies/delete-policy.ts';
import { refreshPolicy } from '../../../../../src/lib/policies/refresh-policy.ts';
import type { Wds } from '../../../../../src/lib/spaces/choose/open-wds.ts';
import { readDelivery } from '../../../../../src/lib/workloads/delivery/delivery.ts';
import { soon } from '../../../support/space-builders.ts';
import { failsWith } from '../../../support/steps.ts';
import { WorkloadCluster } from '../../../support/workload-cluster.ts';

type Typed = KubeObject & { kind: string };
const uid = '01234567-89ab-4cde-8f01-23456789abcd';
const otherUid = '11234567-89ab-4cde-8f01-23456789abcd';
const policy: Typed = {
  kind: 'BindingPolicy',
  metadata: { name: 'shop', generation: 1, resourceVersion: '1' },
};
const binding = {
  kind: 'Binding',
  metadata: { name: 'shop', uid, generation: 1 },
  spec: {
    destinations: [{ clusterId: 'w1' }],
    workload: {
      clusterScope: [{ group: '', version: 'v1', resource: 'namespaces', name: 'shop' }],
    },
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

const opened = (works: Typed[], changes: Partial<Wds> = {}): Wds => ({
  name: 'wds1',
  isGiven: true,
  context: 'wds1',
  type: undefined,
  apiGroups: [],
  kube: new WorkloadCluster([policy, binding, space]).kube,
  its: seen({ name: 'its1', kube: new WorkloadCluster(works).kube }),
  ...changes,
});
/** A context of another name, and no hosting cluster. */
const byContext = (sender: string) => ({ name: 'admin@wds1', isContext: true, sender });
const toDelete = async (wds: Wds) =>
  (await inspectPolicy('shop', wds)).works.map(({ metadata }) => metadata.name);

describe('the name of a WDS on its works', () => {
  test('comes from the hosting cluster', async () => {
    assert.deepEqual(await toDelete(opened([foreign, own])), [own.metadata.name]);
    assert.equal(
      (await refreshPolicy('shop', opened([foreign, own]), { ...soon(), dryRun: true })).works,
      1,
    );
  });
  test('is that of a marked context; a UID in the name of a work is the proof for deletion and rewriting', async () => {
    const wds = opened([foreign, own], byContext('wds1'));
    assert.equal(ifSeen((await readDelivery(wds, [])).works)?.newest.size, 1);
    assert.deepEqual(await toDelete(wds), [own.metadata.name]);
    assert.equal((await refreshPolicy('shop', wds, { ...soon(), dryRun: true })).works, 1);
    for (const works of [
      [work('shop-wds1-0', 'wds1')],
      [work(`${otherUid}-wds1-${uid}`, 'wds1')],
      [foreign],
    ]) {
      const unproven = opened(works, byContext('wds1'));
      const refusal = { code: 'identity-unproven' };
      await assert.rejects(toDelete(unproven), refusal);
      await assert.rejects(refreshPolicy('shop', unproven, soon()), refusal);
    }
  });
  test('is that of the context without a mark', async () => {
    const wds = opened([foreign, own], { isContext: true });
    assert.equal(ifSeen((await readDelivery(wds, [])).works)?.newest.size, 1);
  });
  test('needs the same proof if only the user says which ITS it is', async () => {
    assert.deepEqual(await toDelete(opened([own], { isItsAssumed: true })), [own.metadata.name]);
    await assert.rejects(
      toDelete(opened([work('shop-wds1-0', 'wds1')], { isItsAssumed: true })),
      failsWith({ code: 'identity-unproven', steps: /stellarctl wds get wds1/ }),
    );
  });
});
