import type { StellarError } from '../errors.ts';

/** What became of one space: what scripts get. The fields are an interface: docs/output.md. */
export interface SpaceResult {
  name: string;
  type: string;
  /** The id of the stage reached, or of the one that failed; null where not even the first is reached. */
  stage: string | null;
  /** Whether this run has written anything. */
  changed: boolean;
  /** The context that leads to it, where there is one. */
  context: string | null;
  error?: StellarError;
}
