import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Run } from '../../../../src/lib/core/run.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import type { Pod } from '../../../../src/lib/kube/client/objects.ts';
import { checkWaitGoal, type WaitGoal, waitFor } from '../../../../src/lib/wecs/accept.ts';
import { registrationStages } from '../../../../src/lib/wecs/registration/registration-stages.ts';
import {
  fakeKube,
  hubEvidence,
  joinedCluster,
  klusterlet,
  lease,
  now,
  recordingProgress,
  run,
  secondsAgo,
  wecPod,
} from '../../support/builders.ts';
import { discoveryOf } from '../../support/discovery.ts';
import { matches } from '../../support/steps.ts';

test('a stage that the ITS does not show needs the context of the WEC, and no other does', () => {
  const hub = hubEvidence();
  for (const { id, check } of registrationStages) {
    const { state } = check({ name: 'cluster1', hub, wec: undefined, now });
    const refuses = () => checkWaitGoal(id as WaitGoal, [{ name: 'cluster1', context: undefined }]);
    if (state === 'unseen') assert.throws(refuses, { code: 'usage' });
    else assert.doesNotThrow(refuses, id);
    assert.doesNotThrow(() =>
      checkWaitGoal(id as WaitGoal, [{ name: 'cluster1', context: 'kind-1' }]),
    );
  }
});

const waitedFor = (hub: Kube, during: Run, goal: WaitGoal = 'available', kube?: Kube) =>
  waitFor(hub, [{ name: 'cluster1', kube }], goal, during);

/** An ITS with one WEC that is available from the given read on; until then its lease has stopped. */
function hubAvailableFrom(look: number) {
  let looks = 0;
  return fakeKube({
    read: discoveryOf(),
    list: async () => [],
    async get(resource) {
      if (resource.kind === 'Lease') return lease(looks >= look ? 1 : 900);
      looks += 1;
      return joinedCluster({ available: looks >= look ? 'yes' : 'unknown' });
    },
  });
}

test('a failed stage is waited for, because it may be repaired', async () => {
  const progress = recordingProgress();
  assert.deepEqual(await waitedFor(hubAvailableFrom(3), run(5000, progress)), [
    { name: 'cluster1', stage: 'available', blockedAt: null, changed: false },
  ]);
  matches(progress.lines[0], /^waiting cluster1 lease stopped/);
  assert.equal(progress.lines.at(-1), 'done cluster1 available');
});

test('without a timeout it reads once', async () => {
  const [result] = await waitedFor(hubAvailableFrom(2), run(0));
  assert.deepEqual(
    [result?.stage, result?.blockedAt?.stage, result?.error?.code],
    ['joined', 'available', 'timeout'],
  );
  matches(
    result?.error?.message,
    /did not reach the stage available in time\. cluster1 is blocked at "available": lease stopped/,
  );
});

test('a WEC whose operator or agent is not running is not available, whatever the ITS still reports', async () => {
  const operator = wecPod('klusterlet');
  const agent = wecPod('klusterlet-agent');
  const crashing = wecPod('klusterlet-agent', [
    {
      name: 'agent',
      ready: false,
      restartCount: 3,
      state: { running: { startedAt: secondsAgo(2) } },
      lastState: { terminated: { exitCode: 1 } },
    },
  ]);
  const waited = async (pods: Pod[]) => {
    const kube = fakeKube({
      get: async ({ kind }) => (kind === 'Klusterlet' ? klusterlet() : undefined),
      list: async ({ kind }, { namespace } = {}) =>
        kind === 'Pod' ? pods.filter(({ metadata }) => metadata.namespace === namespace) : [],
    });
    const [result] = await waitedFor(hubAvailableFrom(0), run(0), 'available', kube);
    return result?.error?.code ?? 'available';
  };
  assert.equal(await waited([operator, agent]), 'available');
  for (const pods of [[], [operator], [agent], [operator, crashing]])
    assert.equal(await waited(pods), 'timeout');
});

test('a WEC is gone when a list shows it, whatever a read by its name answers', async () => {
  const present = joinedCluster();
  const lists = [[present], []];
  const hub = fakeKube({
    read: discoveryOf(),
    list: async ({ kind }) => (kind === 'ManagedCluster' ? lists.shift() : []),
    get: async () => undefined,
  });
  const [result] = await waitedFor(hub, run(5000), 'delete');
  assert.deepEqual([result?.error, lists], [undefined, []]);
});
