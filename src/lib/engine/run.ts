import type { Deadline } from './deadline.ts';
import type { Progress } from './progress.ts';

/** What every long function of the library is given beside its input. */
export interface Run {
  progress: Progress;
  deadline: Deadline;
  /** Fires on Ctrl-C. */
  signal: AbortSignal;
  /** `--dry-run`: clients only record what would be written, so that nothing that follows from it is waited for. */
  dryRun?: boolean | undefined;
}
