import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Deadline, monotonic, throwIfInterrupted, type Waiting } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command, run } from '../../core/next-step.ts';
import { replaceFile, reporting } from '../../core/private-file.ts';

/**
 * One name for all spellings of a file (`a`, `./a`, `/d//a`, and through links to its folder). Follows the path as the system does:
 * `link/..` is not the folder that contains the link. Does not follow a link in the last segment, or check that the file exists.
 */
function canonicalName(file: string): string {
  const folder = path.dirname(file);
  return path.join(
    ifPresent(file, () => realpathSync.native(folder)) ?? path.resolve(folder),
    path.basename(file),
  );
}

/** The target of a name through symbolic links; the name itself if the target does not exist. */
export function targetOf(file: string): string {
  return ifPresent(file, () => realpathSync.native(file)) ?? canonicalName(file);
}

/**
 * The content of a file that may be replaced. A pipe or another special file counts as empty: it can be read only once, and must
 * not block here.
 * @returns undefined for a file that does not exist
 * @throws StellarError `file-error`
 */
export function readFileIfPresent(file: string): string | undefined {
  const present = statIfPresent(file);
  const isSpecial = present?.isFile() === false && !present.isDirectory();
  return isSpecial ? '' : ifPresent(file, () => readFileSync(file, 'utf8'));
}

/** The same for the status of a file, behind symbolic links. */
export const statIfPresent = (file: string): Stats | undefined =>
  ifPresent(file, () => statSync(file));

function ifPresent<T>(file: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new StellarError('file-error', `${file} cannot be read: ${message}.`, { cause: error });
  }
}

/** Creates the folder of a file, for its owner only. @returns false if it already exists @throws StellarError `file-error` */
export function makeFolderOf(file: string): boolean {
  const folder = path.dirname(targetOf(file));
  return orCannotWrite(
    file,
    () => mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined,
  );
}

/**
 * Checks that a kubeconfig can be replaced, as far as possible without writing: it is a regular file, and it and its folder are
 * writable, if they exist.
 * @throws StellarError `file-error`
 */
export function requireReplaceable(file: string): void {
  orCannotWrite(file, () => {
    const present = statIfPresent(file);
    if (present?.isFile() === false) throw new Error('it is not a regular file');
    if (present !== undefined) accessSync(file, constants.W_OK);
    // The new content is written to a file beside it.
    const folder = path.dirname(targetOf(file));
    ifPresent(folder, () => accessSync(folder, constants.W_OK | constants.X_OK));
  });
}

/**
 * Replaces a kubeconfig atomically; symbolic links and the owner are kept.
 * @param isOwn whether it belongs to this user afterwards
 * @throws StellarError `file-error`
 */
export function replaceKubeconfig(file: string, content: string, isOwn = false): void {
  requireReplaceable(file);
  const owner = isOwn ? undefined : statIfPresent(file);
  orCannotWrite(file, () => replaceFile(targetOf(file), content, owner));
}

const orCannotWrite = <T>(file: string, write: () => T): T =>
  reporting(file, write, [
    advice('Give a kubeconfig that can be written, for example a copy: --kubeconfig FILE'),
  ]);

/** A lock is held for milliseconds; one that does not change for this long belongs to a process that has ended or hangs. */
const staleLockMs = 10_000;
/** The minimum wait for a lock, even after the deadline: it guards the last step of a long operation. */
const leastWaitMs = 1000;
const pauseMs = 25;

/**
 * Does work while no other program changes these files. The locks are client-go's (tools/clientcmd/loader.go, lockFile): a newly
 * created file `FILE.lock`, respected by kubectl, kind and stellarctl. They are taken in one order, all or none, under any names of
 * the files.
 * The work is synchronous on purpose: a handler of SIGINT or SIGTERM runs after it, so no handled signal leaves a lock behind. A
 * file whose folder is missing or not writable is not locked; the write reports it.
 * @throws StellarError `file-error` for a lock that was left behind, `timeout` for one that is held too long, `interrupted`
 */
export async function whileLocked<T>(
  files: readonly string[],
  waiting: Waiting,
  work: () => T,
): Promise<T> {
  const started = monotonic();
  for (;;) {
    throwIfInterrupted(waiting.signal);
    const locks: string[] = [];
    try {
      const heldBy = takeAll(files.flatMap(locksOf), locks);
      if (heldBy === undefined) return work();
      refuseHeld(heldBy, started, waiting.deadline);
    } finally {
      for (const lock of locks) rmSync(lock, { force: true });
    }
    // Waiting processes should not all retry at the same time.
    const { signal } = waiting;
    await sleep(pauseMs * (0.5 + Math.random()), undefined, { signal }).catch(() =>
      throwIfInterrupted(signal),
    );
  }
}

/** kubectl locks the name that it is given; other programs may be given the target of a symbolic link and lock that. */
const locksOf = (file: string): string[] =>
  [canonicalName(file), targetOf(file)].map((name) => `${name}.lock`);

/** @param lockFiles receives the locks that were made @returns a lock that another program holds */
function takeAll(locks: readonly string[], lockFiles: string[]): string | undefined {
  for (const lock of [...new Set(locks)].sort()) {
    try {
      closeSync(openSync(lock, 'wx', 0));
      lockFiles.push(lock);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return lock;
    }
  }
  return undefined;
}

/** Ends the wait for a lock that was left behind, or is held too long. @param started when the wait began (core/deadline.ts) */
function refuseHeld(lock: string, started: number, deadline: Deadline): void {
  const present = statSync(lock, { throwIfNoEntry: false });
  if (present === undefined || monotonic() - started < leastWaitMs) return;
  const ageMs = Date.now() - present.mtimeMs;
  const stale = `A kubeconfig cannot be written: its lock ${lock} has been held for ${Math.round(ageMs / 1000)} s.`;
  const toRemove = run(
    command`rm ${lock}`,
    'If no other program is writing it, remove the stale lock',
  );
  if (ageMs > staleLockMs) throw new StellarError('file-error', stale, { next: [toRemove] });
  const late = `A kubeconfig could not be written in time: another program is writing it (${lock}).`;
  if (deadline.passed)
    throw new StellarError('timeout', late, { next: [advice('Rerun the command')] });
}
