import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Kube } from '../../src/lib/kube/client.ts';
import { NewStart } from '../../src/lib/ocm/join/new-start.ts';
import { hubEvidence, managedCluster, now, request, wecEvidence } from './builders.ts';

const steady = { hasBeenAway: () => false } as Kube;
const asked = async (secondsAgo: number, state: 'pending' | 'issued' = 'pending') => [
  { ...(await request({ name: 'csr-0' })), state, created: now - secondsAgo * 1000 },
];

describe('an agent is to start anew', () => {
  const wec = wecEvidence('join-singleton');
  test('when it has asked a while ago and has not announced itself, once', async () => {
    const start = new NewStart();
    const registration = { name: 'cluster1', hub: hubEvidence({ requests: await asked(11) }), wec, now };
    assert.match(start.reason(registration, steady) ?? '', /announce/);
    start.done = true;
    assert.equal(start.reason(registration, steady), undefined);
  });
  test('not when it has only just asked, has announced itself, or has its certificate', async () => {
    const start = new NewStart();
    for (const hub of [
      hubEvidence({ requests: await asked(5) }),
      hubEvidence({ requests: await asked(11), managedCluster: managedCluster() }),
      hubEvidence({ requests: await asked(11, 'issued') }),
    ]) {
      assert.equal(start.reason({ name: 'cluster1', hub, wec, now }, steady), undefined);
    }
  });
  test('not because of what the operator says of a hub that has been there all the time', () => {
    const registration = { name: 'cluster1', hub: hubEvidence({}), wec: wecEvidence('garbage-token'), now };
    assert.equal(new NewStart().reason(registration, steady), undefined);
  });
});
