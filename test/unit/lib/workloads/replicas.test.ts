import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  failureIn,
  missingReplicas,
  trimCounts,
} from '../../../../src/lib/workloads/status/returned-status.ts';

const available = [{ type: 'Available', status: 'True' }];

test('a Deployment lacks what its status does not count as available', () => {
  assert.equal(missingReplicas('deployments', {}), 'no replica is available');
  assert.equal(missingReplicas('deployments', { replicas: 2 }), '0/2 replicas are available');
  // With maxUnavailable, a Deployment is Available before all replicas are.
  const partly = { replicas: 2, availableReplicas: 1, conditions: available };
  assert.equal(missingReplicas('deployments', partly), '1/2 replicas are available');
  assert.equal(missingReplicas('deployments', { ...partly, availableReplicas: 2 }), undefined);
});

test('a Deployment that is rolled out lacks its new version', () => {
  const rollout = { replicas: 3, updatedReplicas: 1, availableReplicas: 2, conditions: available };
  const words = '2 replicas are available, and 1 of 3 are of its present version';
  assert.equal(missingReplicas('deployments', trimCounts(rollout), 2), words);
  assert.equal(
    missingReplicas('deployments', { ...rollout, replicas: 2, updatedReplicas: 2 }, 2),
    undefined,
  );
  // A StatefulSet may keep an earlier version on purpose.
  assert.equal(missingReplicas('statefulsets', { ...rollout, availableReplicas: 3 }), undefined);
});

test('a Deployment scaled to zero lacks nothing', () =>
  assert.equal(missingReplicas('deployments', { conditions: available }), undefined));

test('a DaemonSet is counted by nodes', () => {
  assert.equal(
    missingReplicas('daemonsets', { desiredNumberScheduled: 3, numberAvailable: 2 }),
    '2/3 replicas are available',
  );
  assert.equal(missingReplicas('daemonsets', { desiredNumberScheduled: 0 }), undefined);
});

test('a kind without replicas lacks nothing', () =>
  assert.equal(missingReplicas('jobs', {}), undefined));

test('a WEC that runs fewer replicas than were sent lacks them', () => {
  const one = { replicas: 1, availableReplicas: 1, conditions: available };
  assert.equal(missingReplicas('deployments', one, 4), '1/4 replicas are available');
  assert.equal(missingReplicas('deployments', one, 1), undefined);
  assert.equal(missingReplicas('deployments', one), undefined);
});

test('a failure is told although earlier pods are available', () => {
  const refused = { type: 'ReplicaFailure', status: 'True', message: 'violates PodSecurity' };
  const status = { replicas: 2, availableReplicas: 2, conditions: [...available, refused] };
  assert.deepEqual(failureIn(trimCounts(status)), refused);
  assert.equal(failureIn({ conditions: [{ type: 'Progressing', status: 'True' }] }), undefined);
  assert.equal(
    failureIn({ conditions: [{ type: 'Progressing', status: 'False' }] })?.type,
    'Progressing',
  );
  assert.equal(failureIn(trimCounts({ conditions: 'odd' } as never)), undefined);
});
