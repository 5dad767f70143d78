import type { NamedResult } from '../core/each-name.ts';
import type { Standing } from '../core/stages.ts';

/** The result for one space, as scripts receive it. The fields are a public interface: docs/output.md. */
export interface SpaceResult extends Standing, NamedResult {
  type: string;
  /** Whether this run changed anything. */
  changed: boolean;
  /** Its context, if any. */
  context: string | null;
  /** With --guard: whether it is guarded. */
  guarded?: boolean;
}
