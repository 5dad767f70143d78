import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Deadline, ownLimits, pause } from '../../../../src/lib/core/deadline.ts';
import { Patience } from '../../../../src/lib/core/follow.ts';
import { poll } from '../../../../src/lib/core/poll.ts';
import { run } from '../../support/builders.ts';
import { serving } from '../../support/serving.ts';

/** The wall clock is set this far, back and forth, so often, at these intervals. */
const [hourMs, changes, everyMs] = [3_600_000, 20, 100];

/** How far the wall clock is ahead of the real time. */
let ahead = 0;
const clock = Date.now;
let isOver = false;

before(() => {
  Date.now = () => clock() + ahead;
});
after(() => {
  isOver = true;
  Date.now = clock;
});

/** Sets the wall clock back and forth for two seconds. */
async function disturb() {
  for (let each = 0; each < changes && !isOver; each += 1) {
    ahead = each % 2 === 0 ? -hourMs : hourMs;
    await sleep(everyMs);
  }
  ahead = 0;
}

/** How long work takes, by a clock that is not set, in milliseconds; it must end, with or without an error. */
async function took(work: Promise<unknown>) {
  const started = performance.now();
  await Promise.race([work.catch(() => undefined), sleep(8000, undefined, { ref: false })]);
  return performance.now() - started;
}

describe('while the wall clock is set back and forth 20 times', () => {
  const timeoutMs = 1500;
  const inTime = (ms: number) => ms > timeoutMs - 100 && ms < timeoutMs + 5000;
  const silent = async () => {
    const { kube } = await serving(() => undefined, { timeoutMs });
    await kube.read('/version');
  };
  const cases: [what: string, work: () => Promise<unknown>][] = [
    ['a wait', () => poll(async () => undefined, run(timeoutMs))],
    ['a pause', () => pause(60_000, ownLimits(timeoutMs))],
    ['a request', silent],
    [
      'patience',
      async () => {
        const [patience, deadline] = [new Patience(), new Deadline(60_000)];
        while (!patience.hasLasted('a failure', deadline, timeoutMs)) await sleep(20);
      },
    ],
  ];
  for (const [what, work] of cases) {
    test(`${what} ends in time`, async () => {
      const [ms] = await Promise.all([took(work()), disturb()]);
      assert.ok(inTime(ms), `${ms} ms`);
    });
  }
  test('the clock of a cluster runs on', async () => {
    const date = new Date(clock() - 86_400_000);
    const { kube } = await serving(() => ({ headers: { Date: date.toUTCString() } }));
    await kube.read('/version');
    const started = performance.now();
    const seen: number[] = [];
    await Promise.all([
      disturb(),
      (async () => {
        while (performance.now() - started < 1000) {
          seen.push(kube.now() - date.getTime() - (performance.now() - started));
          await sleep(50);
        }
      })(),
    ]);
    assert.ok(
      seen.every((difference) => Math.abs(difference) < 1500),
      seen.join(),
    );
  });
});
