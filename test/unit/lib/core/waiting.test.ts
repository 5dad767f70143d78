import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, describe, mock, test } from 'node:test';
import { mapConcurrently, sharedReading } from '../../../../src/lib/core/concurrency.ts';
import { Deadline, graceMs, pause } from '../../../../src/lib/core/deadline.ts';
import { Patience } from '../../../../src/lib/core/follow.ts';
import { poll } from '../../../../src/lib/core/poll.ts';
import { apiError, networkError } from '../../../../src/lib/kube/client/errors.ts';
import { run } from '../../support/builders.ts';
import { fakeTime, realTime } from '../../support/fake-time.ts';

/** From now on, time passes only by `mock.timers.tick`, including timers imported by name. */
function stopTime() {
  fakeTime(['setTimeout']);
  syncBuiltinESMExports();
}
afterEach(() => {
  realTime();
  syncBuiltinESMExports();
});

const its = { context: 'its1', server: 'https://its1' };
const refused = networkError(its, { code: 'ECONNREFUSED' });

/** Advances time by half a second at a time until a promise has settled. */
async function passing<T>(promise: Promise<T>): Promise<T> {
  let ended = false;
  const end = promise.finally(() => {
    ended = true;
  });
  end.catch(() => {});
  for (let step = 0; step < 1000 && !ended; step += 1) {
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    if (!ended) mock.timers.tick(500);
  }
  return end;
}

describe('a deadline', () => {
  test('passes when its time has come', () => {
    stopTime();
    const deadline = new Deadline(2000);
    assert.deepEqual([deadline.passed, deadline.remaining], [false, 2000]);
    mock.timers.tick(1999);
    assert.deepEqual([deadline.passed, deadline.remaining], [false, 1]);
    mock.timers.tick(2);
    assert.deepEqual([deadline.passed, deadline.remaining], [true, 0]);
  });
  test('of 0 has passed, but allows a request enough time', () => {
    const deadline = new Deadline(0);
    assert.deepEqual(
      [deadline.passed, deadline.remaining, deadline.requestTimeout()],
      [true, 0, 10_000],
    );
  });
  test('limits every request, but allows it at least one second', () => {
    stopTime();
    const deadline = new Deadline(4000);
    assert.deepEqual([deadline.requestTimeout(), deadline.requestTimeout(500)], [4000, 500]);
    mock.timers.tick(3900);
    assert.equal(deadline.requestTimeout(), 1000);
    assert.equal(new Deadline(3_600_000).requestTimeout(), 10_000);
  });
});

describe('a pause', () => {
  test('ends when the user interrupts, before or during it', async () => {
    await assert.rejects(pause(0, { deadline: new Deadline(0), signal: AbortSignal.abort() }), {
      code: 'interrupted',
    });
    await assert.rejects(
      pause(60_000, { deadline: new Deadline(60_000), signal: AbortSignal.timeout(5) }),
      { code: 'interrupted' },
    );
  });
});

describe('polling', () => {
  test('ends with the first result', async () => {
    stopTime();
    let looks = 0;
    assert.equal(
      await passing(poll(async () => (++looks === 3 ? 'here' : undefined), run(60_000))),
      'here',
    );
    assert.equal(looks, 3);
  });
  test('reads once with a timeout of 0', async () => {
    let looks = 0;
    assert.equal(await poll(async () => void looks++, run(0)), undefined);
    assert.equal(looks, 1);
  });
  test('reads one last time at the deadline', async () => {
    stopTime();
    const looks: number[] = [];
    assert.equal(
      await passing(poll(async () => void looks.push(Date.now()), run(1200))),
      undefined,
    );
    assert.deepEqual(looks, [0, 500, 1000, 1500].slice(0, looks.length));
    assert.ok((looks.at(-1) ?? 0) >= 1200);
  });
  test('slows down while nothing changes, and speeds up again after a change', async () => {
    stopTime();
    const started = Date.now();
    let changed = started;
    const looks: number[] = [];
    const look = async () => {
      looks.push(Date.now() - started);
      if (Date.now() - started >= 90_000 && changed === started) changed = Date.now();
      return Date.now() - started >= 120_000 || undefined;
    };
    await passing(poll(look, run(600_000), () => changed));
    const gaps = (from: number, to: number) =>
      new Set(
        looks.flatMap((at, index) => (at > from && at <= to ? at - (looks[index - 1] ?? 0) : [])),
      );
    // Time passes in steps of half a second here.
    assert.deepEqual(gaps(0, 10_000), new Set([500]));
    assert.deepEqual(gaps(61_000, 90_000), new Set([3000]));
    const change = looks.find((at) => at >= 90_000) ?? 0;
    assert.deepEqual(gaps(change, change + 10_000), new Set([500]));
  });
  test('reports a failure that lasts longer than the grace time', async () => {
    stopTime();
    const failing = poll(() => Promise.reject(apiError(its, 503, '')), run(600_000));
    await assert.rejects(passing(failing), { code: 'api-error' });
    assert.ok(Date.now() > graceMs && Date.now() < graceMs + 2000, String(Date.now()));
  });
  test('waits for a server that has just started, and restarts the grace time after an answer', async () => {
    stopTime();
    let looks = 0;
    const look = async () => {
      looks += 1;
      if (looks % 20 !== 0) throw apiError(its, 503, '');
      return looks >= 60 ? 'here' : undefined;
    };
    assert.equal(await passing(poll(look, run(600_000))), 'here');
  });
  test('reports a server that does not answer as that at the deadline, not as a timeout', async () => {
    const failing = poll(() => Promise.reject(refused), run(0));
    await assert.rejects(failing, { code: 'unreachable' });
  });
  test('reports a permanent error at once', async () => {
    let looks = 0;
    const look = async () => {
      looks += 1;
      throw apiError(its, 422, '');
    };
    await assert.rejects(poll(look, run(60_000)), { code: 'api-error' });
    assert.equal(looks, 1);
  });
});

describe('patience', () => {
  test('accepts a failure that has lasted, and no other', () => {
    stopTime();
    const patience = new Patience();
    const deadline = new Deadline(600_000);
    assert.equal(patience.hasLasted('a', deadline), false);
    mock.timers.tick(graceMs);
    assert.equal(patience.hasLasted('a', deadline), false);
    mock.timers.tick(1);
    assert.equal(patience.hasLasted('a', deadline), true);
    assert.equal(patience.hasLasted('b', deadline), false);
    assert.equal(patience.hasLasted(undefined, deadline), false);
    assert.equal(patience.hasLasted('b', deadline), false);
  });
  test('accepts a failure at once when no time is left', () => {
    assert.equal(new Patience().hasLasted('a', new Deadline(0)), true);
    assert.equal(new Patience().hasLasted(undefined, new Deadline(0)), false);
  });
});

describe('parallel work', () => {
  test('keeps the order of the items, and its limit', async () => {
    let running = 0;
    let most = 0;
    const results = await mapConcurrently(
      [5, 1, 3, 2, 4],
      async (item) => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, item));
        running -= 1;
        return item * 10;
      },
      2,
    );
    assert.deepEqual(results, [50, 10, 30, 20, 40]);
    assert.equal(most, 2);
  });
  test('shares a reading that starts after all have asked, at most twice a second', async () => {
    stopTime();
    const starts: number[] = [];
    const read = sharedReading(async () => {
      starts.push(Date.now());
      if (starts.length === 2) throw new Error('failed');
      return starts.length;
    });
    const begun = Date.now();
    assert.deepEqual(await passing(Promise.all([read(), read()])), [1, 1]);
    assert.deepEqual(
      (await passing(Promise.allSettled([read(), read()]))).map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.equal(await passing(read()), 3);
    assert.deepEqual(
      starts.map((at) => at - begun),
      [0, 500, 1000],
    );
  });
  test('on nothing is nothing', async () =>
    assert.deepEqual(await mapConcurrently([], async () => assert.fail()), []));
  // A worker that fails takes no further items.
  test('is done for all items, even if some fail; the first error is thrown when all have ended', async () => {
    const done: number[] = [];
    const work = async (item: number) => {
      done.push(item);
      if (item <= 2) throw new Error(`error ${item}`);
    };
    await assert.rejects(mapConcurrently([1, 2, 3, 4], work, 2), /error 1/);
    assert.deepEqual(done, [1, 2, 3, 4]);
  });
});
