import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether a process runs; a zombie does not. By /proc: a machine without `ps` runs the tests as well. */
export function isAlive(pid: number | string): boolean {
  try {
    const [, state] = /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return state !== 'Z' && state !== 'X';
  } catch {
    return false;
  }
}

/** A process that ends closes its streams before it is gone. */
export async function assertGone(pid: number | string): Promise<void> {
  for (let tries = 0; isAlive(pid) && tries < 100; tries += 1) await sleep(20);
  assert.equal(isAlive(pid), false);
}
