import { Writable } from 'node:stream';
import { writeLines } from '../../../src/commands/terminal/clean.ts';
import type { Io } from '../../../src/commands/terminal/io.ts';
import { styleFor } from '../../../src/commands/terminal/style.ts';

/** A stream that keeps its output; as a terminal it is 80 columns wide, with the given number of rows. */
export class FakeStream extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 80;
  readonly rows: number | undefined;

  constructor(isTTY = false, rows?: number) {
    super();
    this.isTTY = isTTY;
    this.rows = rows;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }

  // Terminal control calls, marked to distinguish them from text.
  cursorTo(): boolean {
    return true;
  }
  moveCursor(): boolean {
    return true;
  }
  clearLine(): boolean {
    this.text += '\r';
    return true;
  }
}

export function fakeIo({
  tty = false,
  rows,
  env = {},
  argv = [],
}: {
  tty?: boolean;
  rows?: number;
  env?: NodeJS.ProcessEnv;
  argv?: readonly string[];
} = {}): { io: Io; stdout: FakeStream; stderr: FakeStream } {
  const stdout = new FakeStream(tty);
  const stderr = new FakeStream(tty, rows);
  const streams = { stdin: { isTTY: false }, stdout, stderr } as unknown as Io;
  const io = { ...streams, env, argv, isOutputLost: () => false };
  return { io, stdout, stderr };
}

const { io: pipe } = fakeIo();
/** The marks of a view without colours, and with them. */
export const plain = styleFor(pipe.stdout, pipe, 'never');
export const coloured = styleFor(pipe.stdout, pipe, 'always');

/** Lines of a view, as printed to a terminal or a pipe. */
export function asWritten(lines: readonly string[]): string[] {
  const { io, stdout } = fakeIo();
  writeLines(io.stdout, lines);
  return stdout.lines;
}
