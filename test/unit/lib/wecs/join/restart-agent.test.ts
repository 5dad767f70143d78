import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Secret } from '../../../../../src/lib/kube/client/objects.ts';
import { RestartsDuringJoin } from '../../../../../src/lib/wecs/join/restart-agent.ts';
import type { Registration } from '../../../../../src/lib/wecs/registration/registration-checks.ts';
import {
  hubEvidence,
  hubSecret,
  joinedCluster,
  lease,
  managedCluster,
  now,
  request,
  secondsAgo,
  wecEvidence,
  wecPod,
} from '../../../support/builders.ts';

const asked = async (secondsAgo: number, state: 'pending' | 'issued' | 'denied' = 'pending') => [
  { ...(await request({ name: 'csr-0', state })), created: now - secondsAgo * 1000 },
];
const bootstrapWritten = (ago: number): Secret => ({
  metadata: {
    name: 'bootstrap-hub-kubeconfig',
    annotations: { 'stellarctl.kubestellar.io/written-at': secondsAgo(ago) },
  },
});
/** The state of an agent that waits to be accepted. */
const wec = wecEvidence('join-singleton');

/** The results of successive reads. */
function needs(registration: Partial<Registration>, looks = 1) {
  const start = new RestartsDuringJoin();
  const all = Array.from({ length: looks }, () =>
    start.need({ name: 'cluster1', hub: hubEvidence(), wec, now, ...registration }, now),
  );
  return all.at(-1)?.by;
}

describe('an agent is restarted', () => {
  test('with a new token if it sent a request a while ago and has not announced itself, once', async () => {
    const start = new RestartsDuringJoin();
    const registration = {
      name: 'cluster1',
      hub: hubEvidence({ requests: await asked(11) }),
      wec,
      now,
    };
    assert.deepEqual(start.need(registration, now), {
      code: 'not-announced',
      why: 'its agent could not announce itself',
      by: 'token',
    });
    start.markDone({ why: '', by: 'token' });
    assert.equal(start.need(registration, now), undefined);
  });
  test('but not if it has only just sent a request, has announced itself, or has its certificate', async () => {
    assert.equal(needs({ hub: hubEvidence({ requests: await asked(5) }) }), undefined);
    assert.equal(
      needs({ hub: hubEvidence({ requests: await asked(11), managedCluster: managedCluster() }) }),
      undefined,
    );
    assert.equal(needs({ hub: hubEvidence({ requests: await asked(11, 'issued') }) }), undefined);
  });

  test("but not while the hub's webhook does not answer, nor in the first seconds after that", async () => {
    const start = new RestartsDuringJoin();
    const webhook = { state: 'silent', why: '', next: [] } as const;
    const hub = hubEvidence({ requests: await asked(600) });
    const need = (later: number, rest: Partial<Registration>) =>
      start.need({ name: 'cluster1', hub, wec, now: now + later * 1000, ...rest }, now);
    assert.equal(need(0, { webhook }), undefined);
    assert.equal(need(5, { webhook: { state: 'answers' } }), undefined);
    assert.equal(need(11, { webhook: { state: 'answers' } })?.by, 'token');
  });

  test('without its certificate if the ITS has no ManagedCluster of it, read twice', async () => {
    const lost = { wec: { ...wec, hubSecret } };
    assert.equal(needs(lost), undefined);
    assert.equal(needs(lost, 2), 'certificate');
    assert.equal(
      needs({ ...lost, hub: hubEvidence({ managedCluster: managedCluster() }) }, 2),
      undefined,
    );
    assert.equal(needs({ ...lost, hub: undefined }, 2), undefined);
  });

  test('by deleting its pods if its certificate was removed and they are older than the bootstrap secret', async () => {
    const old = { ...wec, bootstrapSecret: bootstrapWritten(20) };
    assert.equal(needs({ wec: old }), 'pods');
    assert.equal(
      needs({ wec: { ...old, bootstrapSecret: bootstrapWritten(3) } }),
      undefined,
      'it may be about to ask',
    );
    const fresh = wecPod('klusterlet-agent');
    fresh.metadata.creationTimestamp = secondsAgo(10);
    assert.equal(needs({ wec: { ...old, pods: [fresh] } }), undefined, 'it has been started since');
    assert.equal(
      needs({ wec: old, hub: hubEvidence({ requests: await asked(18, 'denied') }) }),
      undefined,
      'it has asked',
    );
    assert.equal(
      needs({ wec: old, hub: hubEvidence({ requests: await asked(600, 'issued') }) }),
      'pods',
    );
    assert.equal(
      needs({ wec: { ...wecEvidence('wrong-port'), bootstrapSecret: bootstrapWritten(20) } }),
      undefined,
    );
  });
  test('if it runs and has not renewed its Lease, but not twice', () => {
    const hub = (renewed: number) =>
      hubEvidence({
        managedCluster: joinedCluster({ available: 'unknown' }),
        lease: lease(renewed),
      });
    const startedAt = secondsAgo(300);
    const agent = wecPod('klusterlet-agent', [
      { name: 'agent', state: { running: { startedAt } } },
    ]);
    const joined = { ...wec, hubSecret, pods: [agent] };
    assert.equal(needs({ hub: hub(400), wec: joined }), undefined);
    assert.equal(needs({ hub: hub(200), wec: joined }), 'pods');
    const unnoticed = { managedCluster: joinedCluster(), lease: lease(299) };
    unnoticed.managedCluster.spec = { ...unnoticed.managedCluster.spec, leaseDurationSeconds: 10 };
    assert.equal(
      needs({ hub: hubEvidence(unnoticed), wec: joined }),
      'pods',
      'the hub has not noticed it yet',
    );
  });
});
