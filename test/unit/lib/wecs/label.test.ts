import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsOf } from '../../../../src/lib/wecs/label.ts';
import { managedCluster } from '../../support/builders.ts';

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
