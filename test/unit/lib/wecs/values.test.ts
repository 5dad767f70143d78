import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { changeValues, labelStore, labelsOf } from '../../../../src/lib/wecs/values.ts';
import { fakeKube, managedCluster, recordingProgress, run } from '../../support/builders.ts';
import { discoveryOf } from '../../support/discovery.ts';

test('the removal of a label that is not there says so', async () => {
  const cluster = managedCluster({ name: 'cluster1', labels: { env: 'edge' } });
  const hub = fakeKube({
    get: (async () => cluster) as Kube['get'],
    list: (async () => [cluster]) as Kube['list'],
    read: discoveryOf(),
  });
  const said = async (changes: Record<string, string | null>) => {
    const progress = recordingProgress();
    const approve = async () => true;
    const wanted = { changes, overwrite: false, approve };
    await changeValues(hub, labelStore(hub), { names: ['cluster1'] }, wanted, run(5000, progress));
    return progress.lines.join();
  };
  assert.match(await said({ tier: null }), /nothing to do/);
  assert.match(await said({ env: 'edge' }), /nothing to do/);
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
