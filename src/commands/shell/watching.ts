import { type Command, Option } from 'commander';
import { pause } from '../../lib/engine/deadline.ts';
import { ExitCode, exitCodeOf } from '../../lib/engine/errors.ts';
import { writeLines } from '../../lib/terminal/clean.ts';
import type { Session } from './session.ts';

export const watchOption = (what: string): Option => new Option('-w, --watch', `${what}, until Ctrl-C or --timeout`);

const shortestIntervalMs = 1000;
const longestIntervalMs = 5000;

/**
 * Looks again and again until Ctrl-C, or until the deadline if one was asked for. No more than a sixth of the time is spent looking,
 * unless that is slow.
 */
export function watch<Seen extends object>(
  session: Session,
  command: Command,
  look: () => Promise<Seen>,
  show: (seen: Seen) => Promise<void>,
): Promise<void> {
  if (command.getOptionValueSource('timeout') === 'default') session.run.deadline.lift();
  return untilInterrupted(session, watching(session, look, show));
}

/** A person ends it: Ctrl-C is then no error to speak of, though the exit code tells. */
async function untilInterrupted(session: Session, work: Promise<void>): Promise<void> {
  const { stdin, stderr } = session.io;
  await work.catch((error: unknown) => {
    if (exitCodeOf(error) !== ExitCode.interrupted) throw error;
    session.exitCode = ExitCode.interrupted;
    // The terminal has written ^C, and the shell goes on beside it.
    if (stdin.isTTY && stderr.isTTY) writeLines(stderr, ['']);
  });
}

async function watching<Seen extends object>(
  { run, io }: Session,
  look: () => Promise<Seen>,
  show: (seen: Seen) => Promise<void>,
): Promise<void> {
  const { deadline, signal } = run;
  const { poll } = await import('../../lib/engine/poll.ts');
  for (;;) {
    const started = Date.now();
    // An API server that restarts does not end a watch.
    const seen = await poll(look, run);
    if (seen === undefined) return;
    await show(seen);
    if (deadline.passed) return;
    const interval = Math.max(shortestIntervalMs, 5 * (Date.now() - started));
    await pause(Math.min(interval, longestIntervalMs), deadline, signal);
    if (io.isOutputLost()) return;
  }
}

/** Prints one of many documents: a line of JSON, or YAML after its separator. */
export function printOneOfMany(session: Session, document: object): Promise<void> {
  return session.printDocument(document, { format: session.output === 'json' ? 'json' : 'yaml', isOneOfMany: true });
}

/** What of something that is watched is a change when it changes: not the ages in what is said of it, which grow by themselves. */
export function essenceOf(view: object): string {
  return JSON.stringify(view, (key, value) =>
    typeof value === 'string' && statements.includes(key) ? value.replaceAll(duration, '') : value,
  );
}

const statements = ['reason', 'state', 'why', 'message', 'unseen'];
const duration = /\b(?:\d+(?:\.\d+)?(?:ms|[smhdy]))+\b/g;
