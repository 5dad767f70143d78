import { monotonic, pause } from '../../lib/core/deadline.ts';
import { ExitCode, exitCodeOf } from '../../lib/core/errors.ts';
import { poll } from '../../lib/core/poll.ts';
import { writeLines } from '../terminal/clean.ts';
import { Recorder } from '../terminal/recorder.ts';
import type { Session } from './session.ts';

const shortestWatchMs = 1000;
const longestWatchMs = 5000;

/**
 * Repeats a command until Ctrl-C, or until the deadline if one is set, and prints what changes. Reading takes no more than a sixth of
 * the time, unless it is slow.
 * @param run the command, which prints to the session
 */
export function watch(session: Session, run: () => Promise<void>): Promise<void> {
  const recorder = new Recorder(session, session.options.verbose !== true);
  session.recorder = recorder;
  return untilInterrupted(session, () => watching(session, recorder, run));
}

/** Does work that lasts until Ctrl-C, or until the deadline if one was given. */
export async function untilInterrupted(
  session: Session,
  work: () => Promise<unknown>,
): Promise<void> {
  if (!session.options.hasTimeout) session.run.deadline.disable();
  const { stdin, stderr } = session.io;
  await work().catch((error: unknown) => {
    if (exitCodeOf(error) !== ExitCode.interrupted) throw error;
    // The user ends it with Ctrl-C: this prints no error, but sets the exit code.
    session.exitCode = ExitCode.interrupted;
    // The terminal has printed ^C, and the shell continues on the same line.
    if (stdin.isTTY && stderr.isTTY) writeLines(stderr, ['']);
  });
}

async function watching(session: Session, recorder: Recorder, run: () => Promise<void>) {
  for (;;) {
    const started = monotonic();
    // A restart of the API server does not end a watch.
    await poll(async () => {
      recorder.begin();
      await run();
      return true;
    }, session.run);
    await recorder.end();
    if (session.run.deadline.passed) return;
    const interval = Math.max(shortestWatchMs, 5 * (monotonic() - started));
    await pause(Math.min(interval, longestWatchMs), session.run);
    if (session.io.isOutputLost()) return;
  }
}
