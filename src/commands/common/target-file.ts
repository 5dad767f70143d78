import { StellarError } from '../../lib/core/errors.ts';
import { run } from '../../lib/core/next-step.ts';
import { checkWritable, isPresent } from '../../lib/core/private-file.ts';
import type { Session } from './session.ts';

/**
 * Checks the file of `--file`, before its content is requested. A file that exists is replaced only with `--force`.
 * @throws StellarError `file-error`
 */
export async function checkTargetFile(
  session: Session,
  file: string,
  force = false,
): Promise<void> {
  await checkWritable(file);
  if (force || !(await isPresent(file))) return;
  throw new StellarError('file-error', `${file} already exists and was not replaced.`, {
    next: [run(session.again('--force'), 'To replace it')],
  });
}
