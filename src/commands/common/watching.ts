import { type Command, Option } from 'commander';
import { monotonic, pause } from '../../lib/core/deadline.ts';
import { ExitCode, exitCodeOf } from '../../lib/core/errors.ts';
import { writeLines } from '../terminal/clean.ts';
import type { Session } from './session.ts';

export const watchOption = (what: string): Option => new Option('-w, --watch', `${what}, until Ctrl-C or --timeout`);

const shortestIntervalMs = 1000;
const longestIntervalMs = 5000;

/**
 * Polls until Ctrl-C, or until the deadline if one is set. Polling takes no more than a sixth of the time, unless a reading is
 * slow.
 */
export async function watch<Reading extends object>(
  session: Session,
  command: Command,
  read: () => Promise<Reading>,
  show: (reading: Reading) => Promise<void>,
): Promise<void> {
  if (command.getOptionValueSource('timeout') === 'default') session.run.deadline.disable();
  const { stdin, stderr } = session.io;
  await watching(session, read, show).catch((error: unknown) => {
    if (exitCodeOf(error) !== ExitCode.interrupted) throw error;
    // The user ends a watch with Ctrl-C: this prints no error, but sets the exit code.
    session.exitCode = ExitCode.interrupted;
    // The terminal has printed ^C, and the shell continues on the same line.
    if (stdin.isTTY && stderr.isTTY) writeLines(stderr, ['']);
  });
}

async function watching<Reading extends object>(
  { run, io }: Session,
  read: () => Promise<Reading>,
  show: (reading: Reading) => Promise<void>,
): Promise<void> {
  const { deadline, signal } = run;
  const { poll } = await import('../../lib/core/poll.ts');
  for (;;) {
    const started = monotonic();
    // A restart of the API server does not end a watch.
    const reading = await poll(read, run);
    if (reading === undefined) return;
    await show(reading);
    if (deadline.passed) return;
    const interval = Math.max(shortestIntervalMs, 5 * (monotonic() - started));
    await pause(Math.min(interval, longestIntervalMs), deadline, signal);
    if (io.isOutputLost()) return;
  }
}

/** Prints one of several documents: a line of JSON, or YAML after its separator. */
export function printOneOfMany(session: Session, document: object): Promise<void> {
  return session.printDocument(document, { format: session.output === 'json' ? 'json' : 'yaml', isOneOfMany: true });
}

/** Returns the part of a view whose change counts as a change: without the ages in its text, which grow all the time. */
export function essenceOf(view: object): string {
  return JSON.stringify(view, (key, value) =>
    typeof value === 'string' && statements.includes(key) ? value.replaceAll(duration, '') : value,
  );
}

const statements = ['reason', 'state', 'why', 'message', 'unseen'];
const duration = /\b(?:\d+(?:\.\d+)?(?:ms|[smhdy]))+\b/g;
