import { type Help, run } from '../../core/next-step.ts';
import { few } from '../../core/text/words.ts';
import { writtenAt } from '../../kube/client/objects.ts';
import type { ManifestWork } from '../../ocm/model/manifest-works.ts';
import type { ObjectView } from '../../ocm/model/object-ref.ts';

/** An object of a work beside what is on its WEC. The fields are an interface: docs/output.md. */
export interface WorkloadDifference extends ObjectView, Help {
  wec: string;
  /** The policy that sends it; null for a work whose policy is not known. */
  policy: string | null;
  /** missing: the WEC does not have it. unseen: it could not be compared. */
  state: 'equal' | 'different' | 'missing' | 'unseen';
  /** Why it could not be compared. */
  why: string | null;
  /** With createOnly, a WEC that has the object keeps its own version: a difference is no fault. */
  createOnly: boolean;
  differs: DifferingField[];
  /** What the agent has applied, and the work no longer has. Its steps correct on the WEC what the agent never does. */
  left: string[];
}

export interface DifferingField {
  /** As `spec.containers[web].image`. */
  field: string;
  /** As the work says; absent for a Secret. */
  work?: unknown;
  wec?: unknown;
  /** Who wrote it on the WEC last, and when; null if that is not recorded. */
  by: string | null;
  since: string | null;
}

/** OCM's agent writes an object again every five minutes (ocm pkg/work/spoke, ResyncInterval 4 to 6 minutes). */
export const correctionMs = 360_000;

/**
 * Whether a difference stays as it is: the agent takes nothing away, and updates no pull secrets.
 * @param work as it was compared @param now by the clock of the WEC, in milliseconds since the epoch
 */
export function isLasting(
  { state, kind, differs }: WorkloadDifference,
  work: ManifestWork | undefined,
  now: number,
): boolean {
  if (state !== 'missing' && (differs.length === 0 || kind === 'ServiceAccount')) return true;
  const times = differs.map(({ since }) => Date.parse(since ?? '') || 0);
  return now - Math.max(...times, work ? writtenAt(work) : 0) > correctionMs;
}

/** What differs, and who wrote it, without a full stop. */
export function differenceWords({ state, differs, left }: WorkloadDifference): string {
  if (state === 'missing') return 'it is not there';
  const fields = few([...differs.map(({ field }) => field), ...left]).join(', ');
  const [by] = differs.flatMap((each) => each.by ?? []);
  return `it differs there: ${fields}${by === undefined ? '' : ` (written by ${by})`}`;
}

export const correctingSteps = ({ next }: WorkloadDifference) =>
  next === null ? [] : [run(next, 'Correct it there')];
