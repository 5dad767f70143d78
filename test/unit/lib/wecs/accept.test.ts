import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noForecast } from '../../../../src/lib/forecast/read-forecast.ts';
import { accept } from '../../../../src/lib/wecs/accept.ts';
import { fakeKube, managedCluster, run } from '../../support/builders.ts';
import { discoveryOf } from '../../support/discovery.ts';
import { matches } from '../../support/steps.ts';

/** The cluster of a context, whose Klusterlet has this cluster name. */
const clusterOf = (clusterName: string) =>
  fakeKube({
    get: async ({ kind }) =>
      kind === 'Klusterlet'
        ? { metadata: { name: 'klusterlet' }, spec: { clusterName } }
        : undefined,
    list: async () => [],
  });

test('a context of another WEC is rejected, and nothing is approved or accepted', async () => {
  const written: string[] = [];
  const hub = fakeKube({
    read: discoveryOf(),
    review: async () => ({ status: { allowed: true } }),
    list: async () => [],
    get: async ({ kind }) => (kind === 'ManagedCluster' ? managedCluster() : undefined),
    merge: async (_, name) => written.push(name),
  });
  const [other] = await accept(
    hub,
    { wecs: [{ name: 'cluster1', kube: clusterOf('cluster2') }], wait: false, effects: noForecast },
    run(0),
  );
  assert.equal(other?.error?.code, 'registered-elsewhere');
  matches(
    other?.error?.message,
    /is registered as cluster2, not as cluster1\. cluster1 was not accepted/,
  );
  assert.equal(other?.changed, false);
  assert.deepEqual(written, []);
});
