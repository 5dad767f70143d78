import { Writable } from 'node:stream';
import type { Io } from '../../src/lib/terminal/io.ts';

/** A stream that keeps what is written; as a terminal it is 80 columns wide. */
export class FakeStream extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 80;

  constructor(isTTY = false) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }

  // What a terminal is asked to do besides; it is marked, so that it can be told from text.
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
  env = {},
  program = 'stellarctl',
}: {
  tty?: boolean;
  env?: NodeJS.ProcessEnv;
  program?: string;
} = {}): { io: Io; stdout: FakeStream; stderr: FakeStream } {
  const stdout = new FakeStream(tty);
  const stderr = new FakeStream(tty);
  const io = { stdin: process.stdin, stdout, stderr, env, program } as unknown as Io;
  return { io, stdout, stderr };
}
