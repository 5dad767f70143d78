import type { SessionOptions } from '../../../src/commands/common/options.ts';
import { Session } from '../../../src/commands/common/session.ts';
import { type FakeStream, fakeIo } from './fake-io.ts';

/** A session in a pipe, and its streams. */
export function sessionWith(
  options: Partial<SessionOptions> = {},
  io: Parameters<typeof fakeIo>[0] = {},
): { session: Session; stdout: FakeStream; stderr: FakeStream } {
  const { io: own, ...streams } = fakeIo(io);
  const all = { output: 'table', timeout: 5000, color: 'never', ...options } as const;
  return { session: new Session(own, all, new AbortController().signal), ...streams };
}
