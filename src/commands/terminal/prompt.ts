import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { StellarError } from '../../lib/core/errors.ts';
import { terminalLine } from './clean.ts';
import type { Io } from './io.ts';

/** Whether there is a user to ask. */
export function canAsk({ stdin, stderr }: Io): boolean {
  return Boolean(stdin.isTTY) && Boolean(stderr.isTTY);
}

/**
 * Asks the user to confirm a destructive operation by typing a name, `y` where that is enough, or, for several objects, their number.
 * @throws StellarError `not-confirmed` for anything else, `interrupted` on Ctrl-C and Ctrl-D
 */
export async function confirmByTyping(
  io: Io,
  question: string,
  {
    name,
    isShort,
    number,
  }: { name: string; isShort?: boolean | undefined; number?: number | undefined },
  signal: AbortSignal,
): Promise<void> {
  const ofOne = isShort
    ? { asked: 'y or its name', right: [name, 'y', 'yes'] }
    : { asked: 'its name', right: [name] };
  const { asked, right } =
    number === undefined ? ofOne : { asked: 'their number', right: [String(number)] };
  const answer = await askForLine(io, `${question} Type ${asked} to confirm: `, signal);
  const stay = number === undefined ? 'is unchanged' : 'are unchanged';
  if (!right.includes(answer))
    throw new StellarError('not-confirmed', `Not confirmed; ${name} ${stay}.`);
}

/** Asks the user for a line. @throws StellarError `interrupted` on Ctrl-C and Ctrl-D */
async function askForLine(io: Io, question: string, signal: AbortSignal) {
  // The terminal edits the line: readline itself would fail when the terminal closes.
  const lines = createInterface({ input: io.stdin, output: io.stderr, terminal: false });
  const ended = once(lines, 'close').then(() => Promise.reject(new Error('the input has ended')));
  try {
    const answering = lines.question(terminalLine(question), { signal });
    return (await Promise.race([answering, ended])).trim();
  } catch {
    // Ctrl-C and Ctrl-D leave the cursor beside the question.
    io.stderr.write('\n');
    throw new StellarError('interrupted', 'Interrupted; nothing was done.');
  } finally {
    lines.close();
  }
}
