import { mock } from 'node:test';

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
