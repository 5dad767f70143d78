import '../../../support/environment.ts';
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

const lost = { ...wec, hubSecret };
const old = { ...wec, bootstrapSecret: bootstrapWritten(20) };
const fresh = wecPod('klusterlet-agent');
fresh.metadata.creationTimestamp = secondsAgo(10);
const running = { startedAt: secondsAgo(300) };
const joined = {
  ...lost,
  pods: [wecPod('klusterlet-agent', [{ name: 'agent', state: { running } }])],
};
const silent = (renewed: number, cluster = joinedCluster({ available: 'unknown' })) => ({
  hub: hubEvidence({ managedCluster: cluster, lease: lease(renewed) }),
  wec: joined,
});
const impatient = joinedCluster();
impatient.spec = { ...impatient.spec, leaseDurationSeconds: 10 };
const hubAsked = async (...sent: Parameters<typeof asked>) =>
  hubEvidence({ requests: await asked(...sent) });
const announced = { managedCluster: managedCluster(), requests: await asked(11) };
const cases: [what: string, by: ReturnType<typeof needs>, ...Parameters<typeof needs>][] = [
  ['not if it has only just sent a request', undefined, { hub: await hubAsked(5) }],
  ['not if it has announced itself', undefined, { hub: hubEvidence(announced) }],
  ['not if its certificate is issued', undefined, { hub: await hubAsked(11, 'issued') }],
  ['not if the ITS has no ManagedCluster, read once', undefined, { wec: lost }],
  ['without its certificate if that is read twice', 'certificate', { wec: lost }, 2],
  ['not without access to the ITS', undefined, { wec: lost, hub: undefined }, 2],
  ['by its pods if they are older than the bootstrap secret', 'pods', { wec: old }],
  [
    'not while it may be about to ask',
    undefined,
    { wec: { ...old, bootstrapSecret: bootstrapWritten(3) } },
  ],
  ['not if it has been started since', undefined, { wec: { ...old, pods: [fresh] } }],
  ['not if it has asked', undefined, { wec: old, hub: await hubAsked(18, 'denied') }],
  ['by its pods if it asked before', 'pods', { wec: old, hub: await hubAsked(600, 'issued') }],
  [
    'not if it does not reach the hub',
    undefined,
    { wec: { ...wecEvidence('wrong-port'), bootstrapSecret: bootstrapWritten(20) } },
  ],
  ['by its pods if it runs and has not renewed its Lease', 'pods', silent(200)],
  ['not twice for its Lease', undefined, silent(400)],
  ['by its pods before the hub notices its Lease', 'pods', silent(299, impatient)],
];

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
  for (const [what, by, ...given] of cases) test(what, () => assert.equal(needs(...given), by));
});
