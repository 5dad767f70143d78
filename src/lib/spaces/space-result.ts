import type { StellarError } from '../engine/errors.ts';
import type { Standing } from '../engine/stages.ts';

/** What became of one space: what scripts get. The fields are an interface: docs/output.md. */
export interface SpaceResult extends Standing {
  name: string;
  type: string;
  /** Whether this run has written anything. */
  changed: boolean;
  /** The context that leads to it, where there is one. */
  context: string | null;
  error?: StellarError;
}
