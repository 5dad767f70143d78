import type { Bed, Plane } from '../../../../testbed/index.ts';
import type { Cli, CliRun } from '../../support/harness.ts';

/** What the tests of these commands share; filled in when they start. */
export interface Surroundings {
  bed: Bed;
  /** its1, the current context. */
  hub: Plane;
  /** its2, whose bootstrap service account has its older name. */
  older: Plane;
  /** The WECs of its2, in no order. */
  manyNames: string[];
  cli: Cli;
  /** A `wec list --watch` that was started at the beginning. */
  watch: { started: number; ended: Promise<CliRun>; interrupt: () => void };
}
