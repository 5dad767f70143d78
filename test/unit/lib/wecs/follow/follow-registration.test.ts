import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Track } from '../../../../../src/lib/core/follow.ts';
import { noForecast } from '../../../../../src/lib/forecast/read-forecast.ts';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import { Acceptance, type Accepting } from '../../../../../src/lib/wecs/follow/acceptance.ts';
import {
  acting,
  type FollowOptions,
  RegistrationFollower,
} from '../../../../../src/lib/wecs/follow/follow-registration.ts';
import type { Registration } from '../../../../../src/lib/wecs/registration/registration-checks.ts';
import { readingOf } from '../../../../../src/lib/wecs/registration/registration-stages.ts';
import {
  fakeKube,
  hubEvidence,
  hubSecret,
  joinedCluster,
  lease,
  managedCluster,
  now,
  recordingProgress,
  request,
  run,
  wecEvidence,
} from '../../../support/builders.ts';
import { matches, stepsOf } from '../../../support/steps.ts';

type Hub = Parameters<typeof hubEvidence>[0];

/** A follower, its writes, and its messages. */
function following(
  options: Partial<FollowOptions & Accepting & { accept: boolean }> = {},
  { timeoutMs = 60_000, refusal = 0, dryRun = false } = {},
) {
  const writes: string[] = [];
  const write = (text: string) => {
    if (refusal !== 0) throw apiError({ context: 'its1', server: 'https://its1' }, refusal, '');
    writes.push(text);
  };
  const kube = fakeKube({
    dryRun,
    async replace(_resource, object, subresource) {
      const { status } = object as { status?: { conditions?: { type: string }[] } };
      write(
        `${object.metadata.name} ${subresource} ${status?.conditions?.at(-1)?.type} at ${object.metadata.resourceVersion}`,
      );
      return object;
    },
    async merge(_resource, name, patch) {
      write(`${name} ${JSON.stringify(patch)}`);
      return {} as never;
    },
    // No mailbox of an earlier registration.
    get: async () => undefined,
  } satisfies Partial<Kube>);
  const progress = recordingProgress();
  const ofThis = run(timeoutMs, progress);
  const { accept = true, wait = true, joinedIsEnough = false, ...rest } = options;
  const registration = new RegistrationFollower({ name: 'cluster1' }, kube, ofThis, {
    ...{ until: 'available', checkCommand: 'stellarctl wec list' },
    ...rest,
  });
  const acceptance = new Acceptance(kube, registration);
  const subject = acting(registration, async (reading) =>
    accept ? acceptance.act(reading, { wait, joinedIsEnough, effects: noForecast }) : undefined,
  );
  const track = new Track<Registration>(registration, ofThis.deadline);
  const follower = {
    result: registration.result,
    finished: false,
    giveUp: () => registration.late(track.last),
  };
  const look = async (hub: Hub, further: Partial<Registration> = {}) => {
    const reading = track.judge(
      readingOf({ name: 'cluster1', hub: hubEvidence(hub), wec: undefined, now, ...further }),
    );
    follower.finished = (await subject.act(reading)) !== undefined;
  };
  return { follower, writes, lines: progress.lines, look };
}

const pending = await request({ name: 'csr-1' });
/** What the hub shows of a WEC that asks to join. */
const asking = { managedCluster: managedCluster(), requests: [pending] };
const issued = await request({ name: 'csr-1', state: 'issued' });
const denied = await request({ state: 'denied' });
const accepts = 'cluster1 {"spec":{"hubAcceptsClient":true}}';
const approves = 'csr-1 approval Approved at 1';

const cases: [
  what: string,
  given: Parameters<typeof following>,
  hub: Hub,
  ends: boolean,
  writes: string[],
  error?: string,
][] = [
  [
    'its request is approved by a PUT with the evaluated resourceVersion, and only then the cluster is accepted',
    [],
    asking,
    false,
    [approves, accepts],
  ],
  [
    'nothing is written before a request exists',
    [],
    { managedCluster: managedCluster() },
    false,
    [],
  ],
  ['it is not followed with --no-wait', [{ wait: false }], asking, true, [approves, accepts]],
  [
    'a request that has changed since it was evaluated (409) is evaluated again',
    [{}, { refusal: 409 }],
    asking,
    false,
    [],
  ],
  ['a request that is deleted (404) is evaluated again', [{}, { refusal: 404 }], asking, false, []],
  ['it ends without permission', [{}, { refusal: 403 }], asking, true, [], 'forbidden'],
  [
    'it ends at once if a request is rejected',
    [],
    { managedCluster: managedCluster(), requests: [denied] },
    true,
    [],
    'request-denied',
  ],
  [
    'nothing is done if it has joined already',
    [{ joinedIsEnough: true }],
    { managedCluster: joinedCluster() },
    true,
    [],
  ],
];

describe('to accept a WEC', () => {
  for (const [what, given, hub, ends, expected, error] of cases)
    test(what, async () => {
      const { follower, writes, look } = following(...given);
      await look(hub);
      assert.deepEqual([follower.finished, writes], [ends, expected]);
      const { changed, error: found } = follower.result;
      assert.deepEqual([changed, found?.code], [expected.length > 0, error]);
    });
  test('it is followed until it is available', async () => {
    const { follower, look } = following();
    await look(asking);
    await look({ managedCluster: managedCluster({ accepted: true }), requests: [issued] });
    assert.equal(follower.finished, false);
    await look({ managedCluster: joinedCluster(), requests: [issued], lease: lease(1) });
    assert.deepEqual(
      [follower.finished, follower.result],
      [true, { name: 'cluster1', stage: 'available', blockedAt: null, changed: true }],
    );
  });
  test('an agent with a certificate that waits for its acceptance is accepted', async () => {
    const { writes, look } = following();
    await look(
      { managedCluster: managedCluster(), requests: [issued] },
      { wec: wecEvidence('approved-not-accepted', { hubSecret }) },
    );
    assert.deepEqual(writes, [accepts]);
  });
});

describe('the final message is correct:', () => {
  // A failed stage is named by its ID.
  test('of a WEC that had joined and whose lease has stopped', async () => {
    const { follower, lines, look } = following({ joinedIsEnough: true });
    await look({ managedCluster: joinedCluster({ available: 'unknown' }), lease: lease(900) });
    matches(lines.at(-1), /lease stopped|not available/);
    const blockedAt = { stage: 'available', state: 'failed', why: 'lease stopped 15m ago' };
    assert.deepEqual(follower.result, {
      name: 'cluster1',
      stage: 'joined',
      blockedAt,
      changed: false,
    });
  });
  test('of a WEC whose request was denied and that is followed to its request', async () => {
    const { lines, look } = following({ until: 'request', accept: false });
    await look(
      { managedCluster: managedCluster(), requests: [denied] },
      { wec: wecEvidence('denied') },
    );
    matches(lines.at(-1), /denied/);
  });
  test('of a WEC that is followed to its request', async () => {
    const { follower, lines, look } = following({ until: 'request', accept: false });
    await look(asking, { wec: wecEvidence('denied') });
    assert.deepEqual(
      [follower.finished, follower.result.stage, lines.at(-1)],
      [true, 'request', 'done cluster1 request pending'],
    );
  });
});

describe('a WEC that makes no progress', () => {
  test('gets time before a failure counts', async () => {
    const { follower, look } = following();
    await look({}, { wec: wecEvidence('wrong-port') });
    assert.equal(follower.finished, false);
  });
  test('ends, at the deadline, with what blocks it and the next step', async () => {
    const { follower, look } = following({}, { timeoutMs: 0 });
    await look({}, { wec: wecEvidence('wrong-port') });
    assert.equal(follower.finished, false);
    await follower.giveUp();
    const { error } = follower.result;
    assert.deepEqual([error?.code, error?.exitCode], ['timeout', 3]);
    matches(
      error?.message,
      /in time\. cluster1 cannot connect to its1: it does not reach the hub: .*connection refused/,
    );
    assert.match(stepsOf(error), /stellarctl wec join cluster1=cluster1 .*--hub-apiserver/);
  });
});
