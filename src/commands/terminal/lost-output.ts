import { getSystemErrorMessage } from 'node:util';
import { ExitCode } from '../../lib/core/errors.ts';

type Streams = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'once' | 'exitCode'>;

/**
 * Keeps a stream that cannot be written to from ending the run with a stack, in the middle of its work. Results lost for another
 * reason than a reader that has closed the pipe (head, less) are reported once, and such a run never exits with 0.
 * @returns whether results can no longer be written: endless output checks it
 */
export function watchOutput(streams: Streams): () => boolean {
  let isLost = false;
  let isFailure = false;
  streams.stdout.on('error', ({ code, errno, message }: NodeJS.ErrnoException) => {
    isLost = true;
    if (code === 'EPIPE' || isFailure) return;
    isFailure = true;
    const why = errno === undefined ? message : getSystemErrorMessage(errno);
    streams.stderr.write(`✗ The results cannot be written: ${why}.\n`);
  });
  // There is no stream left to report to.
  streams.stderr.on('error', () => {});
  streams.once('exit', (code: number) => {
    if (isFailure && code === ExitCode.done) streams.exitCode = ExitCode.failed;
  });
  return () => isLost;
}
