import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonic } from '../../core/clock.ts';
import { command } from '../../core/command-line.ts';
import { type Deadline, throwIfInterrupted } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, run } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { canonicalName, targetOf } from './replace.ts';

/** A lock is held for milliseconds; one that does not change for this long belongs to a process that has ended or hangs. */
const staleLockMs = 10_000;
/** The minimum wait for a lock, even after the deadline: it guards the last step of a long operation. */
const leastWaitMs = 1000;
const pauseMs = 25;

/** The limits of a wait for a lock. */
export type Waiting = Pick<Run, 'deadline' | 'signal'>;

/**
 * Does work while no other program changes these files. The locks are client-go's (tools/clientcmd/loader.go, lockFile): a newly
 * created file `FILE.lock`, respected by kubectl, kind and stellarctl. They are taken in one order, all or none, under any names of
 * the files.
 * The work is synchronous on purpose: a handler of SIGINT or SIGTERM runs after it, so no handled signal leaves a lock behind. A
 * file whose folder is missing or not writable is not locked; the write reports it.
 * @throws StellarError `file-error` for a lock that was left behind, `timeout` for one that is held too long, `interrupted`
 */
export async function whileLocked<T>(files: readonly string[], waiting: Waiting, work: () => T): Promise<T> {
  const started = monotonic();
  for (;;) {
    throwIfInterrupted(waiting.signal);
    const locks: string[] = [];
    try {
      const held = takeAll(files.flatMap(locksOf), locks);
      if (held === undefined) return work();
      refuseHeld(held, started, waiting.deadline);
    } finally {
      for (const lock of locks) rmSync(lock, { force: true });
    }
    // Waiting processes should not all retry at the same time.
    const { signal } = waiting;
    await sleep(pauseMs * (0.5 + Math.random()), undefined, { signal }).catch(() => throwIfInterrupted(signal));
  }
}

/** kubectl locks the name that it is given; other programs may be given the target of a symbolic link and lock that. */
const locksOf = (file: string): string[] => [canonicalName(file), targetOf(file)].map((name) => `${name}.lock`);

/** @param taken receives the locks that were made @returns a lock that another program holds */
function takeAll(locks: readonly string[], taken: string[]): string | undefined {
  for (const lock of [...new Set(locks)].sort()) {
    try {
      closeSync(openSync(lock, 'wx', 0));
      taken.push(lock);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return lock;
    }
  }
  return undefined;
}

/** Ends the wait for a lock that was left behind, or is held too long. @param started when the wait began (core/clock.ts) */
function refuseHeld(lock: string, started: number, deadline: Deadline): void {
  const present = statSync(lock, { throwIfNoEntry: false });
  if (present === undefined || monotonic() - started < leastWaitMs) return;
  const ageMs = Date.now() - present.mtimeMs;
  if (ageMs > staleLockMs)
    throw new StellarError(
      'file-error',
      `A kubeconfig cannot be written: its lock ${lock} has been held for ${Math.round(ageMs / 1000)} s.`,
      { next: [run(command`rm ${lock}`, 'If no other program is writing it, remove the stale lock')] },
    );
  if (deadline.passed)
    throw new StellarError(
      'timeout',
      `A kubeconfig could not be written in time: another program is writing it (${lock}).`,
      { next: [advice('Rerun the command')] },
    );
}
