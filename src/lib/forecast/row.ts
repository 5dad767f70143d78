import type { ObjectView } from '../ocm/model/object-ref.ts';

/**
 * What becomes of an object on a WEC.
 * - `added`: its work is created.
 * - `removed`: the agent deletes it.
 * - `kept`: its work is deleted, and it stays.
 * - `recreated`: the agent deletes it, and another work creates it again, with another UID: its data may be lost.
 * - `stale`: it keeps a value that has been replaced, until its work is rewritten.
 * - `taken-over`: it is there, no work has applied it, and the agent overwrites it.
 * - `blocked`: its work cannot be created.
 * - `crashes`: KubeStellar's controller manager crashes, and may take the workloads of all policies away.
 * - `unknown`: what it would be made of could not be read.
 */
export type RowEffect =
  | 'added'
  | 'removed'
  | 'kept'
  | 'recreated'
  | 'stale'
  | 'taken-over'
  | 'blocked'
  | 'crashes'
  | 'unknown';

/** What becomes of an object on a WEC by a change. The fields are an interface: docs/output.md. */
export interface Row {
  effect: RowEffect;
  /** Null if it may be any. */
  wec: string | null;
  /** Null if it is unknown which. */
  object: ObjectView | null;
  /** The policy that sends it, or has sent it; null for a work that was created by hand, or where it is unknown which. */
  policy: string | null;
  wds: string | null;
  /** A clause without a full stop. */
  why: string;
}
