import { syncBuiltinESMExports } from 'node:module';
import { mock, type TestContext } from 'node:test';

const { uptime } = process;

/**
 * From now on, time passes only by `mock.timers.tick`, on the wall clock and on the monotonic one.
 * @param apis the timers that wait for it too
 */
export function fakeTime(apis: ('setTimeout' | 'setInterval')[] = [], now = 0): void {
  mock.timers.enable({ apis: [...apis, 'Date'], now });
  process.uptime = () => Date.now() / 1000;
}

/** Time passes by itself again. */
export function realTime(): void {
  mock.timers.reset();
  process.uptime = uptime;
}

/**
 * For the rest of a test that has only what is in memory, all waits end at once, including those by timers that are imported by name.
 * Deadlines from before have passed.
 */
export function hurry(t: TestContext): void {
  fakeTime(['setTimeout'], Date.now());
  syncBuiltinESMExports();
  let turns = 0;
  let next = setImmediate(function turn() {
    // Whatever can go on without a timer goes on first.
    if (++turns % 10 === 0) mock.timers.tick(100);
    next = setImmediate(turn);
  });
  t.after(() => {
    clearImmediate(next);
    realTime();
    syncBuiltinESMExports();
  });
}
