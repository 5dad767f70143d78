import type { Deadline } from './deadline.ts';
import type { Progress } from './progress.ts';

/** The context of a long-running library function, beside its input. */
export interface Run {
  progress: Progress;
  deadline: Deadline;
  /** Fires on Ctrl-C. */
  signal: AbortSignal;
  /** `--dry-run`: clients only record writes, and nothing waits for their effects. */
  dryRun?: boolean | undefined;
}
