import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { Deadline } from '../../../../src/lib/core/deadline.ts';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import {
  type Followed,
  follow,
  followOne,
  type JudgedReading,
  type Reading,
  Track,
} from '../../../../src/lib/core/follow.ts';
import {
  failed,
  failedForGood,
  met,
  unseen,
  type Verdict,
  waiting,
} from '../../../../src/lib/core/stages.ts';
import { run } from '../../support/builders.ts';
import { fakeTime, realTime } from '../../support/fake-time.ts';
import { waitForNothing } from '../../support/space-builders.ts';

type Verdicts = Record<string, Verdict>;

/** Stages whose verdicts are the evidence itself. */
const seen = (snapshot: Verdicts, graceMs?: number): Reading<Verdicts> => ({
  snapshot,
  stages: Object.keys(snapshot).map((id) => ({
    id,
    title: `${id} done`,
    check: (verdicts: Verdicts) => verdicts[id] ?? met,
    ...(graceMs === undefined ? {} : { graceMs }),
  })),
});

describe('a transient failure', () => {
  beforeEach(() => fakeTime([], Date.now()));
  afterEach(realTime);
  const states = (looks: readonly Reading<Verdicts>[], forgiveAfter?: number) => {
    const track = new Track<Verdicts>({ graceMs: 5000 }, new Deadline(600_000));
    return looks.map((look, index) => {
      if (index > 0) mock.timers.tick(3000);
      const reading = track.judge(look);
      if (index === forgiveAfter) reading.restartGracePeriod();
      return reading.state;
    });
  };
  const crash = (restarts: number) =>
    seen({ a: failed(`it crashes, restarted ${restarts} times`), b: waiting('') });

  test('is counted by its stage, even if its message changes', () =>
    assert.deepEqual(states([crash(2), crash(3), crash(4)]), ['open', 'open', 'failed']));
  test('restarts at another stage, after a read without it, and after an action', () => {
    assert.deepEqual(states([crash(2), crash(2), seen({ b: failed('x') })]), [
      'open',
      'open',
      'open',
    ]);
    assert.deepEqual(states([crash(2), seen({ a: waiting('') }), crash(2)]), [
      'open',
      'open',
      'open',
    ]);
    assert.deepEqual(states([crash(2), crash(2), crash(2)], 1), ['open', 'open', 'open']);
  });
  test('uses the grace time of its own stage, if any', () => {
    const slow = seen({ a: failed('x') }, 10_000);
    assert.deepEqual(states([slow, slow, slow, slow, slow]), [
      'open',
      'open',
      'open',
      'open',
      'failed',
    ]);
  });
  test('counts at once if nothing in it is transient', () =>
    assert.deepEqual(states([seen({ a: failedForGood('x') })]), ['failed']));
});

test('newly met stages are reported, and none at the first read', () => {
  const track = new Track<Verdicts>({ until: 'b' }, new Deadline(60_000));
  const sights = [
    track.judge(seen({ a: met, b: waiting(''), c: failed('') })),
    track.judge(seen({ a: met, b: met, c: failed('') })),
  ];
  const summary = ({ reached, state, isFirst }: JudgedReading<Verdicts>) => [
    reached.map(({ id }) => id),
    state,
    isFirst,
  ];
  assert.deepEqual(sights.map(summary), [
    [[], 'open', true],
    [['b'], 'done', false],
  ]);
});

test('an unseen target is not met', () => {
  const track = new Track<Verdicts>({ until: 'b' }, new Deadline(60_000));
  const { state, blocking } = track.judge(seen({ a: met, b: unseen('hidden'), c: unseen('') }));
  assert.deepEqual([state, blocking?.id, blocking?.verdict.why], ['open', 'b', 'hidden']);
  const { stages, snapshot } = seen({ a: unseen(''), b: unseen(''), c: met });
  assert.equal(track.judge({ stages, snapshot }).state, 'open');
  const settling = stages.map((stage) => (stage.id === 'c' ? { ...stage, settles: ['b'] } : stage));
  assert.equal(track.judge({ stages: settling, snapshot }).state, 'done');
});

test('a change is another verdict or another code, not another message', () => {
  fakeTime([], 1000);
  const track = new Track<Verdicts>({}, new Deadline(60_000));
  const changedAt = [
    waiting('1s'),
    waiting('2s'),
    failed('x', { code: 'a' }),
    failed('x', { code: 'b' }),
  ].map((a) => {
    mock.timers.tick(1000);
    track.judge(seen({ a }));
    return track.changedAt;
  });
  realTime();
  assert.deepEqual(changedAt, [2000, 2000, 4000, 5000]);
});

describe('subjects are followed', () => {
  let goOnWaiting = () => {};
  beforeEach(() => {
    goOnWaiting = waitForNothing();
  });
  afterEach(() => goOnWaiting());

  interface Named extends Followed<Verdicts, string> {
    name: string;
  }
  const subject = (name: string, act: Named['act']): Named => ({
    name,
    act,
    late: (last) => `${name} is late: ${last?.blocking?.verdict.why}`,
    broken: ({ message }) => `${name}: ${message}`,
  });
  const untilDone: Named['act'] = async ({ state }) => (state === 'done' ? 'done' : undefined);

  test('by one read for all open ones, each to its own result', async () => {
    const looks: string[][] = [];
    const look = async (open: readonly Named[]) => {
      looks.push(open.map(({ name }) => name));
      return async ({ name }: Named) =>
        seen({ a: name.length <= looks.length ? met : waiting('') });
    };
    const refused = async () => {
      throw new StellarError('forbidden', 'not allowed');
    };
    const subjects = [subject('aaa', untilDone), subject('b', untilDone), subject('c', refused)];
    assert.deepEqual(await follow(subjects, look, run(60_000)), ['done', 'done', 'c: not allowed']);
    assert.deepEqual(looks, [['aaa', 'b', 'c'], ['aaa'], ['aaa']]);
  });
  test('again if something is transient, but not once they have ended', async () => {
    const acts: string[] = [];
    const busyOnce: Named['act'] = async () => {
      acts.push('busy');
      if (acts.length < 3) throw new StellarError('api-error', 'busy').with({ passing: true });
      return 'done';
    };
    const subjects = [subject('b', busyOnce), subject('a', async () => `${acts.push('a')}`)];
    const results = await follow(subjects, async () => async () => seen({}), run(60_000));
    assert.deepEqual([results[0], acts.filter((act) => act === 'a').length], ['done', 1]);
  });
  test('once each has begun, and none waits for another one that is slow', async () => {
    const slow = Promise.withResolvers<void>();
    const looks: string[][] = [];
    const look = async (open: readonly Named[]) => {
      looks.push(open.map(({ name }) => name));
      return async () => seen({ a: met });
    };
    const begin = (name: string, work: () => Promise<void>) => ({
      begin: async () => {
        await work();
        return { subject: subject(name, untilDone) };
      },
    });
    const fast = async () => {
      setTimeout(() => slow.resolve(), 20);
    };
    const done = { begin: async () => ({ result: 'installed' }) };
    const subjects = [begin('slow', () => slow.promise), begin('fast', fast), done];
    const results = await follow<Verdicts, string, Named>(subjects, look, run(60_000));
    assert.deepEqual(results, ['done', 'done', 'installed']);
    assert.deepEqual(looks, [['fast'], ['slow']]);
  });
  test('with a failure of one that may pass, without a delay for the others', async () => {
    const away = async () => {
      throw new StellarError('unreachable', 'away').with({ passing: true });
    };
    const look = async () => async (one: Named) =>
      one.name === 'away' ? away() : seen({ a: met });
    const subjects = [subject('away', untilDone), subject('b', untilDone)];
    assert.deepEqual(await follow(subjects, look, run(0)), [
      'away: Timed out; the last answer was: away',
      'done',
    ]);
  });
  test('to the error of one that does not handle it', async () => {
    const { broken: _, ...bare } = subject('a', async () => {
      throw new StellarError('forbidden', 'not allowed');
    });
    const never = subject('b', async () => undefined);
    await assert.rejects(
      follow([bare, never], async () => async () => seen({}), run(60_000)),
      { code: 'forbidden' },
    );
  });
  test('until the deadline, and until a shared read fails', async () => {
    const open = async () => seen({ a: waiting('x') });
    assert.equal(await followOne(subject('a', untilDone), open, run(0)), 'a is late: x');
    const broken = async () => {
      throw new StellarError('not-a-hub', 'no hub');
    };
    const subjects = [subject('a', untilDone), subject('b', untilDone)];
    assert.deepEqual(await follow(subjects, broken, run(60_000)), ['a: no hub', 'b: no hub']);
    const { broken: _, ...bare } = subject('a', untilDone);
    await assert.rejects(followOne(bare, broken, run(60_000)), { code: 'not-a-hub' });
  });
  test('to the last answer, if the deadline passes after an answer that was no reading', async () => {
    const limited = run(600_000);
    // It passes once the answer has been endured.
    let asked = 0;
    Object.defineProperty(limited.deadline, 'passed', { get: () => ++asked > 3 });
    const away = async () => {
      throw new StellarError('api-error', 'away').with({ passing: true });
    };
    assert.equal(
      await followOne(subject('a', untilDone), away, limited),
      'a: Timed out; the last answer was: away',
    );
  });
  test('to what the last reading has shown, if the deadline cuts off the next one', async () => {
    const { broken: _, ...bare } = subject('a', untilDone);
    let reads = 0;
    const read = async () => {
      if (++reads > 1)
        throw new StellarError('timeout', 'kind did not answer before the deadline.');
      return seen({ a: waiting('there is no a yet') });
    };
    assert.equal(await followOne(bare, read, run(600_000)), 'a is late: there is no a yet');
    reads = 1;
    await assert.rejects(followOne(bare, read, run(600_000)), /did not answer/);
  });
});
