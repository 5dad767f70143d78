import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesFor } from '../../../../../src/lib/core/changes.ts';
import { noForecast } from '../../../../../src/lib/forecast/read-forecast.ts';
import type { ManagedCluster } from '../../../../../src/lib/ocm/model/ocm-objects.ts';
import { changeValues, labelStore, labelsOf } from '../../../../../src/lib/wecs/values/values.ts';
import { fakeKube, managedCluster, recordingProgress, run } from '../../../support/builders.ts';
import { discoveryOf } from '../../../support/discovery.ts';

/** Changes labels of WECs of a hub, of all by default, which keeps them as they are. @returns the results, the writes, and what is said */
async function changed(
  clusters: ManagedCluster[],
  changes: (name: string) => Record<string, string | null>,
  { overwrite = false, ...selection }: { overwrite?: boolean; names?: string[] } = {},
) {
  const written: string[] = [];
  const hub = fakeKube({
    get: async (_, name) => clusters.find(({ metadata }) => metadata.name === name),
    list: async () => clusters,
    merge: async (_, name) => {
      written.push(name);
      return clusters[0];
    },
    read: discoveryOf(),
  });
  const progress = recordingProgress();
  const wanted = { changes, overwrite, approve: async () => noForecast };
  const results = await changeValues(labelStore(hub), selection, wanted, run(5000, progress));
  return { results, written, said: progress.lines.join() };
}
const edge = managedCluster({ labels: { env: 'edge' } });

test('the removal of a label that is not there says so', async () => {
  for (const changes of [{ tier: null }, { env: 'edge' }]) {
    const { written, said } = await changed([edge], () => changes, { names: ['cluster1'] });
    assert.deepEqual(written, []);
    assert.match(said, /nothing to do/);
  }
});

test('what an admission policy takes out again is no success', async () => {
  const { results } = await changed([edge], () => ({ env: null, tier: 'web' }), {
    overwrite: true,
  });
  assert.equal(results[0]?.error?.code, 'conflict');
  assert.match(
    String(results[0]?.error?.message),
    /accepted env-, tier=web for cluster1, and does not/,
  );
});

test('a WEC that has another value of its own is a conflict, before anything is written', async () => {
  const clusters = [
    managedCluster(),
    managedCluster({ name: 'cluster2', labels: { site: 'other' } }),
  ];
  const changes = (name: string) => changesFor(name, { site: 'of-{name}' });
  const { results, written } = await changed(clusters, changes);
  assert.deepEqual(written, []);
  assert.deepEqual(
    results.map(({ error }) => error?.message),
    [undefined, 'cluster2 has site=other already; nothing was changed.'],
  );
  assert.match(
    JSON.stringify(results[1]?.error?.next),
    /label cluster2 site=of-cluster2 --overwrite/,
  );
});

test('labels and annotations are those of users, not of programs', () => {
  const cluster = managedCluster({
    labels: {
      tier: 'edge',
      'topology.kubernetes.io/region': 'eu',
      'cluster.open-cluster-management.io/clusterset': 'default',
      'feature.open-cluster-management.io/addon-x': 'available',
    },
  });
  cluster.metadata.annotations = {
    owner: 'me',
    'kubectl.kubernetes.io/last-applied-configuration': '{}',
    'stellarctl.kubestellar.io/kube-system-uid': 'x',
    'open-cluster-management.io/automatically-accepted-on': 'x',
  };
  assert.deepEqual(labelsOf(cluster), {
    labels: { tier: 'edge', 'topology.kubernetes.io/region': 'eu' },
    annotations: { owner: 'me' },
  });
});
