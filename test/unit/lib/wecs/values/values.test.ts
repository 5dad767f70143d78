import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesFor } from '../../../../../src/lib/core/changes.ts';
import { changeValues, labelStore, labelsOf } from '../../../../../src/lib/wecs/values/values.ts';
import { fakeKube, managedCluster, recordingProgress, run } from '../../../support/builders.ts';
import { discoveryOf } from '../../../support/discovery.ts';

test('the removal of a label that is not there says so', async () => {
  const cluster = managedCluster({ name: 'cluster1', labels: { env: 'edge' } });
  const hub = fakeKube({
    get: async () => cluster,
    list: async () => [cluster],
    read: discoveryOf(),
  });
  const said = async (changes: Record<string, string | null>) => {
    const progress = recordingProgress();
    const approve = async () => true;
    const wanted = { changes: () => changes, overwrite: false, approve };
    await changeValues(labelStore(hub), { names: ['cluster1'] }, wanted, run(5000, progress));
    return progress.lines.join();
  };
  assert.match(await said({ tier: null }), /nothing to do/);
  assert.match(await said({ env: 'edge' }), /nothing to do/);
});

test('what an admission policy takes out again is no success', async () => {
  const cluster = managedCluster({ name: 'cluster1', labels: { env: 'edge' } });
  const hub = fakeKube({
    list: async () => [cluster],
    merge: async () => cluster,
    read: discoveryOf(),
  });
  const changes = () => ({ env: null, tier: 'web' });
  const wanted = { changes, overwrite: true, approve: async () => true };
  const quiet = run(5000, recordingProgress());
  const [result] = await changeValues(labelStore(hub), {}, wanted, quiet);
  assert.equal(result?.error?.code, 'conflict');
  assert.match(
    String(result?.error?.message),
    /accepted env-, tier=web for cluster1, and does not/,
  );
});

test('a WEC that has another value of its own is a conflict, before anything is written', async () => {
  const labels = { cluster1: {}, cluster2: { site: 'other' } };
  const clusters = Object.entries(labels).map(([name, own]) =>
    managedCluster({ name, labels: own }),
  );
  const hub = fakeKube({ list: async () => clusters, read: discoveryOf() });
  const changes = (name: string) => changesFor(name, { site: 'of-{name}' });
  const wanted = { changes, overwrite: false, approve: async () => true };
  const results = await changeValues(labelStore(hub), {}, wanted, run(5000, recordingProgress()));
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
