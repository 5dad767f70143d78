import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { StellarError } from '../../../../../src/lib/core/errors.ts';
import { advice, run } from '../../../../../src/lib/core/next-step.ts';
import {
  failed,
  failedForGood,
  met,
  type Verdict,
  waiting,
} from '../../../../../src/lib/core/stages.ts';
import type { Pod } from '../../../../../src/lib/kube/client/objects.ts';
import type { ControlPlane } from '../../../../../src/lib/ocm/model/kubeflex-objects.ts';
import {
  type FollowedSpace,
  followSpace,
} from '../../../../../src/lib/spaces/space/follow-space.ts';
import type { SpaceStage } from '../../../../../src/lib/spaces/space/space-stages.ts';
import type { AnySpace } from '../../../../../src/lib/spaces/space/space-watcher.ts';
import { recordingProgress } from '../../../support/builders.ts';
import { fakeTime, realTime } from '../../../support/fake-time.ts';
import {
  evidence,
  its,
  MemoryCluster,
  pod,
  soon,
  space,
  waitForNothing,
  wds,
} from '../../../support/space-builders.ts';
import { matches, stepsOf } from '../../../support/steps.ts';

type Look = Record<string, Verdict> | undefined;

interface Following {
  plane?: ControlPlane;
  /** Milliseconds between two reads, on the clock that measures the grace time. */
  step?: number;
  timeoutMs?: number;
  stage?: Partial<SpaceStage<unknown>>;
  log?: string[];
  mayNudge?: boolean;
}

/** Follows a space whose stages have these verdicts at successive reads; the last ones repeat. */
async function following(looks: readonly Look[], options: Following = {}) {
  const {
    plane = its('its1'),
    step = 0,
    timeoutMs = 60_000,
    stage = {},
    log = [],
    mayNudge = true,
  } = options;
  const cluster = new MemoryCluster([], {
    logTail: async () => log,
    ...(mayNudge
      ? {}
      : {
          merge: async () => {
            throw new StellarError('forbidden', 'Not allowed.');
          },
        }),
  });
  const progress = recordingProgress();
  let count = 0;
  const followed: FollowedSpace = {
    name: plane.metadata.name,
    hosting: cluster.kube,
    read: async () => {
      const verdicts = looks[Math.min(count, looks.length - 1)];
      if (count > 0) mock.timers.tick(step);
      count += 1;
      if (verdicts === undefined) return undefined;
      const seen = space(evidence(plane), { state: 'seen', value: {} }) as AnySpace;
      const stages = Object.entries(verdicts).map(
        ([id, verdict]): SpaceStage<unknown> => ({
          id,
          title: `${id} done`,
          check: () => verdict,
          ...stage,
        }),
      );
      return { space: seen, stages, kube: undefined };
    },
  };
  const outcome = await followSpace(followed, { ...soon(timeoutMs), progress });
  return { ...outcome, looks: count, lines: progress.lines, writes: cluster.writes };
}

/** Advances time only between reads, and not while waiting for the next one. */
function withOwnTime() {
  let goOnWaiting = () => {};
  beforeEach(() => {
    fakeTime([], Date.now());
    goOnWaiting = waitForNothing();
  });
  afterEach(() => {
    goOnWaiting();
    realTime();
  });
}

describe('a space is followed', () => {
  withOwnTime();
  test('to its last stage', async () => {
    const { stage, error, looks } = await following([
      { a: met, ready: waiting('x') },
      { a: met, ready: met },
    ]);
    assert.deepEqual([stage, error, looks], ['ready', undefined, 2]);
  });
  test('reporting reached stages once, without earlier ones or the result', async () => {
    const { lines } = await following([
      { a: met, b: waiting('b is coming'), ready: waiting('') },
      { a: met, b: met, ready: waiting('nearly') },
      { a: met, b: met, ready: met },
    ]);
    assert.deepEqual(
      lines.filter((line) => line.startsWith('reached')),
      ['reached its1 b done'],
    );
    assert.deepEqual(lines[0], 'waiting its1 b is coming b');
  });
  test('with where to look, once, after a time at one stage', async () => {
    const stuck = waiting('so', { next: [run('kubectl logs m', 'Its log says why')] });
    const { lines } = await following([{ a: stuck }, { a: stuck }, { a: stuck }, { a: met }], {
      step: 20_000,
    });
    assert.deepEqual(
      lines.filter((line) => line.includes('logs')),
      ['note its1: Its log says why: kubectl logs m'],
    );
  });
  test('until it is deleted', async () => {
    const deleted = { code: 'not-found', message: /its1 was deleted from kind-kubeflex/ };
    await assert.rejects(following([{ a: waiting('x') }, undefined]), deleted);
  });
  test('until the deadline, with what blocks it, what the hosting cluster lacks, and a rerun', async () => {
    const { error, stage } = await following([{ a: met, b: waiting('b is coming') }], {
      timeoutMs: 0,
    });
    assert.deepEqual([stage, error?.code, error?.exitCode], ['a', 'timeout', 3]);
    const lack = `kind-kubeflex is blocked at "KubeFlex's kinds are served": KubeFlex's CustomResourceDefinition is missing.`;
    assert.equal(
      error?.message,
      `its1 was not ready in time; it is blocked at "b done": b is coming. ${lack}`,
    );
    assert.match(
      stepsOf(error),
      /init --hosting-context kind-kubeflex\nTo resume, rerun the command$/,
    );
  });
  test('until it is interrupted', async () => {
    const controller = new AbortController();
    const followed: FollowedSpace = {
      name: 'its1',
      hosting: new MemoryCluster().kube,
      read: async () => {
        controller.abort();
        const stages = [{ id: 'a', title: '', check: () => waiting('x') }];
        const seen = space(evidence(its('its1')), { state: 'seen', value: {} }) as AnySpace;
        return { space: seen, stages, kube: undefined };
      },
    };
    await assert.rejects(followSpace(followed, { ...soon(), signal: controller.signal }), {
      code: 'interrupted',
    });
  });
});

describe('a failure', () => {
  withOwnTime();
  const doubtful = failed('the image cannot be pulled');
  test('that is permanent ends it at once', async () => {
    const { error, looks, stage } = await following([
      {
        'its-hub-init': failedForGood('Job x has failed', {
          next: [run('stellarctl its repair its1')],
        }),
      },
    ]);
    assert.deepEqual([looks, stage, error?.code], [1, null, 'hook-failed']);
    assert.equal(stepsOf(error), 'stellarctl its repair its1');
  });
  test('that is permanent is reported as that, even with a single read', async () => {
    const { error } = await following([{ 'its-hub-init': failedForGood('Job x has failed') }], {
      timeoutMs: 0,
    });
    assert.deepEqual([error?.code, error?.exitCode], ['hook-failed', 1]);
  });
  test('that may be transient counts after five seconds, not before', async () => {
    assert.equal((await following([{ a: doubtful }], { step: 5001 })).looks, 2);
    assert.equal((await following([{ a: doubtful }], { step: 2600 })).looks, 3);
  });
  test('that may have been transient is only the reason at the deadline, with its next step', async () => {
    const { error } = await following([{ a: failed('no image', { next: [advice('do this')] }) }], {
      timeoutMs: 0,
    });
    assert.deepEqual(
      [error?.code, stepsOf(error)],
      ['timeout', 'To resume, rerun the command\ndo this'],
    );
    matches(error?.message, /blocked at "a done": no image/);
  });
  test('of an API server that answers late suggests a rerun, and not to delete it', async () => {
    const { error } = await following([{ reachable: failedForGood('no answer in time') }]);
    assert.equal(stepsOf(error), 'To resume, rerun the command');
  });
  test('includes the log of the pod behind it', async () => {
    const podsOf = (): Pod[] => [pod('its-hub-init-a', { phase: 'Failed', exitCode: 1 })];
    const { error } = await following([{ a: failedForGood('Job a has failed') }], {
      stage: { podsOf },
      log: ['first', 'last words'],
    });
    assert.deepEqual(error?.details.slice(0, 3), [
      'pod its-hub-init-a, container main: exit 1',
      'first',
      'last words',
    ]);
  });
});

describe('KubeFlex is asked to reconcile', () => {
  withOwnTime();
  const nudge = 'merge ControlPlane its1';
  const addonDone = { 'install-status-addon': met, a: waiting('x'), ready: waiting('') };
  const plane = (applied: string[]) => its('its1', { applied });
  test('once for everything that it has not noticed', async () => {
    const { writes } = await following([addonDone, addonDone, { ready: met }], {
      plane: plane([]),
    });
    assert.deepEqual(writes, [nudge]);
  });
  test('but not what it has noticed', async () => {
    const { writes } = await following([addonDone, { ready: met }], {
      plane: plane(['install-status-addon']),
    });
    assert.deepEqual(writes, []);
  });
  test('again when only its own condition is missing', async () => {
    const all = { ...addonDone, a: met };
    const { writes } = await following([addonDone, all, all, { ready: met }], { plane: plane([]) });
    assert.deepEqual(writes, [nudge, nudge]);
  });
  test('a corrected copy of a hook as well, whose failure is that of a hook', async () => {
    const hooks = [{ hookName: 'stellarctl-transport-controller' }];
    const corrected = wds('wds1', 'its1', { hooks });
    const transportRuns = { 'transport-controller': met, a: waiting(''), ready: waiting('') };
    const { writes } = await following([transportRuns, { ready: met }], { plane: corrected });
    assert.deepEqual(writes, ['merge ControlPlane wds1']);
    const { error } = await following([{ 'transport-controller': failedForGood('x') }], {
      plane: corrected,
    });
    assert.equal(error?.code, 'hook-failed');
  });
  test('and otherwise waits a little longer', async () => {
    const { stage } = await following([addonDone, { ready: met }], { mayNudge: false });
    assert.equal(stage, 'ready');
  });
});
