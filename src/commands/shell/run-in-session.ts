import { ExitCode, exitCodeOf } from '../../lib/engine/errors.ts';
import type { Io } from '../../lib/terminal/io.ts';
import type { SessionOptions } from './options.ts';
import { Session } from './session.ts';

/**
 * Runs a command's work with everything it needs, renders how it ended, and returns the exit code.
 * Ctrl-C ends it in order; a second one at once.
 */
export async function runInSession(
  io: Io,
  options: SessionOptions,
  work: (session: Session) => Promise<void>,
): Promise<number> {
  const interrupt = new AbortController();
  let signalCode: number = ExitCode.interrupted;
  const stop = (code: number) => () => {
    if (interrupt.signal.aborted) process.exit(code);
    signalCode = code;
    interrupt.abort();
  };
  const onInterrupt = stop(ExitCode.interrupted);
  const onTerminate = stop(ExitCode.terminated);
  // A terminal that closes sends it, and so does its shell: together they are one request to end.
  const onHangUp = () => {
    if (!interrupt.signal.aborted) onTerminate();
  };
  process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate).on('SIGHUP', onHangUp);
  const session = new Session(io, options, interrupt.signal);
  try {
    await work(session);
    return session.exitCode === ExitCode.interrupted ? signalCode : session.exitCode;
  } catch (error) {
    await session.fail(error);
    return exitCodeOf(error) === ExitCode.interrupted ? signalCode : exitCodeOf(error);
  } finally {
    session.close();
    process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate).off('SIGHUP', onHangUp);
  }
}
