import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type AgentEvidence,
  type AgentLife,
  agentLife,
  overdueLease,
} from '../../../../../src/lib/ocm/agent/agent-life.ts';
import {
  hubEvidence,
  joinedCluster,
  klusterlet,
  lease,
  managedCluster,
  now,
  secondsAgo,
  wecPod,
} from '../../../support/builders.ts';

const startedAgo = (seconds: number) =>
  wecPod('klusterlet-agent', [
    { name: 'agent', state: { running: { startedAt: secondsAgo(seconds) } } },
  ]);
/** An operator and an agent that was started a while ago, and what the operator has reported of its connection. */
const wec = (started: number, reported?: number): AgentEvidence['wec'] => ({
  klusterlet: klusterlet(
    reported === undefined
      ? []
      : [
          {
            type: 'HubConnectionDegraded',
            status: 'True',
            lastTransitionTime: secondsAgo(reported),
          },
        ],
  ),
  pods: [wecPod('klusterlet'), startedAgo(started)],
});
const hub = (age: number | undefined, managed = joinedCluster()) =>
  hubEvidence({ managedCluster: managed, lease: age === undefined ? undefined : lease(age) });

const cases: [name: string, evidence: Partial<AgentEvidence>, expected: Partial<AgentLife>][] = [
  [
    'of which nothing was read',
    { hub: undefined },
    { hasJoined: false, isAvailable: false, renews: 'unknown', runs: true, reaches: false },
  ],
  [
    'that renews its Lease',
    { hub: hub(100) },
    { hasJoined: true, isAvailable: true, renews: 'in-time', silentFor: 100_000, reaches: true },
  ],
  ['that has missed a renewal', { hub: hub(130) }, { renews: 'late', reaches: true }],
  ['that renews no more', { hub: hub(301) }, { renews: 'no', silentFor: 301_000 }],
  [
    'without a Lease',
    { hub: hub(undefined) },
    { renews: 'unknown', silentFor: undefined, renewed: undefined },
  ],
  [
    'that the ITS misses',
    { hub: hub(700, joinedCluster({ available: 'unknown' })) },
    { isAvailable: false, isMissed: true, reaches: false },
  ],
  [
    'that has never joined',
    { hub: hub(10, managedCluster({ accepted: true })) },
    { hasJoined: false, reaches: false },
  ],
  [
    'that has renewed its Lease since its start',
    { hub: hub(30), wec: wec(40, 20) },
    { runs: true, restarted: undefined, awaitsLock: false, reaches: true },
  ],
  [
    'that was restarted since, of which the operator has not reported',
    { hub: hub(90), wec: wec(40, 100) },
    { restarted: now - 40_000, awaitsLock: true, reaches: true },
  ],
  [
    'that was restarted since, of which the operator has reported',
    { hub: hub(90), wec: wec(40, 20) },
    { awaitsLock: true, reaches: false },
  ],
  [
    'that was restarted long ago',
    { hub: hub(200), wec: wec(170) },
    { restarted: now - 170_000, awaitsLock: false },
  ],
  [
    'that has no pod',
    { hub: hub(30), wec: { klusterlet: klusterlet([]), pods: [wecPod('klusterlet')] } },
    { runs: false },
  ],
  [
    'whose pods may not be seen',
    { hub: hub(30), wec: { klusterlet: klusterlet([]), pods: undefined } },
    { runs: true, restarted: undefined },
  ],
];

describe('an agent', () => {
  for (const [name, evidence, expected] of cases)
    test(name, () => {
      const life = agentLife({ hub: undefined, now, ...evidence });
      const keys = Object.keys(expected) as (keyof AgentLife)[];
      assert.deepEqual(Object.fromEntries(keys.map((key) => [key, life[key]])), expected);
    });

  test('whose clock is known to differ is not judged by it', () => {
    const cluster = joinedCluster();
    cluster.metadata.annotations = {
      'registration.open-cluster-management.io/skip-clock-sync-check': 'true',
    };
    const { renews, silentFor, renewed } = agentLife({ hub: hub(900, cluster), now });
    assert.deepEqual([renews, silentFor, renewed], ['unknown', undefined, now - 900_000]);
  });

  test('that still counts as available is overdue after two periods', () => {
    const overdue = (age: number, managed = joinedCluster()) =>
      overdueLease(agentLife({ hub: hub(age, managed), now }));
    assert.equal(overdue(110), undefined);
    assert.equal(overdue(130), 'lease not renewed for 2m10s (due every 60s)');
    assert.equal(overdue(400, joinedCluster({ available: 'unknown' })), undefined);
  });
});
