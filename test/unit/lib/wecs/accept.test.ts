import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { accept } from '../../../../src/lib/wecs/accept.ts';
import { fakeKube, managedCluster, run } from '../../support/builders.ts';

/** The cluster of a context, whose Klusterlet has this cluster name. */
const clusterOf = (clusterName: string) =>
  fakeKube({
    get: (async ({ kind }) =>
      kind === 'Klusterlet'
        ? { metadata: { name: 'klusterlet' }, spec: { clusterName } }
        : undefined) as Kube['get'],
    list: async () => [],
  });

test('a context of another WEC is rejected, and nothing is approved or accepted', async () => {
  const written: string[] = [];
  const hub = fakeKube({
    read: async () => ({ resources: [{ name: 'managedclusters' }] }) as never,
    review: async () => ({ status: { allowed: true } }) as never,
    list: async () => [],
    get: (async ({ kind }) =>
      kind === 'ManagedCluster' ? managedCluster() : undefined) as Kube['get'],
    merge: async (_, name) => written.push(name) as never,
  });
  const [other] = await accept(
    hub,
    { wecs: [{ name: 'cluster1', kube: clusterOf('cluster2') }], wait: false },
    run(0),
  );
  assert.equal(other?.error?.code, 'registered-elsewhere');
  assert.match(
    other?.error?.message ?? '',
    /is registered as cluster2, not as cluster1\. cluster1 was not accepted/,
  );
  assert.equal(other?.changed, false);
  assert.deepEqual(written, []);
});
