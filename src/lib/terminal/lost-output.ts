import { getSystemErrorMessage } from 'node:util';
import { ExitCode } from '../engine/errors.ts';

type Streams = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'once' | 'exitCode'>;

/**
 * Keeps a stream that cannot be written to from ending the run with a stack, in the middle of its work. Results that are lost for
 * another reason than a reader that has seen enough (head, less) are said once, and such a run never ends with 0.
 * @returns whether results can no longer be written: what prints without end asks for it
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
  // There is no place left to say so.
  streams.stderr.on('error', () => {});
  streams.once('exit', (code: number) => {
    if (isFailure && code === ExitCode.done) streams.exitCode = ExitCode.failed;
  });
  return () => isLost;
}
