import { readFileSync } from 'node:fs';

/** Whether a process runs; a zombie does not. By /proc: a machine without `ps` runs the tests as well. */
export function isAlive(pid: number | string): boolean {
  try {
    const [, state] = /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return state !== 'Z' && state !== 'X';
  } catch {
    return false;
  }
}
