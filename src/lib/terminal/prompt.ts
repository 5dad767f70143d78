import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { StellarError } from '../engine/errors.ts';
import { terminalLine } from './clean.ts';
import type { Io } from './io.ts';

/** Whether there is a person to ask. */
export function canAsk({ stdin, stderr }: Io): boolean {
  return Boolean(stdin.isTTY) && Boolean(stderr.isTTY);
}

/**
 * Asks a person to type a name, or of several things how many they are, for what destroys.
 * @throws StellarError `not-confirmed` for anything else, `interrupted` on Ctrl-C and Ctrl-D
 */
export async function confirmByTyping(
  io: Io,
  question: string,
  { name, number }: { name: string; number?: number | undefined },
  signal: AbortSignal,
): Promise<void> {
  // The terminal edits the line: readline itself would break down where the terminal closes.
  const lines = createInterface({ input: io.stdin, output: io.stderr, terminal: false });
  const ended = once(lines, 'close').then(() => Promise.reject(new Error('the input has ended')));
  try {
    const [asked, right] = number === undefined ? ['its name', name] : ['their number', String(number)];
    const answering = lines.question(terminalLine(`${question} type ${asked}: `), { signal });
    const answer = await Promise.race([answering, ended]);
    const stay = number === undefined ? 'stays as it is' : 'stay as they are';
    if (answer.trim() !== right) throw new StellarError('not-confirmed', `Not confirmed; ${name} ${stay}.`);
  } catch (error) {
    if (error instanceof StellarError) throw error;
    // Ctrl-C and Ctrl-D leave the cursor beside the question.
    io.stderr.write('\n');
    throw new StellarError('interrupted', 'Interrupted; nothing was done.');
  } finally {
    lines.close();
  }
}
