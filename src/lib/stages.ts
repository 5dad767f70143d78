/** What one look at the evidence says of a stage. */
export type Verdict =
  | { state: 'met' }
  /** Will come by itself, as far as can be seen. */
  | { state: 'waiting'; why: string }
  /** Will not recover without somebody's action. */
  | {
      state: 'failed';
      why: string;
      hint?: string;
      /** Nothing of it can pass: whoever waits need not see it again to believe it. */
      final?: true;
    }
  /** The evidence cannot be had, or is gone. */
  | { state: 'unseen'; why: string };

export interface Stage<Snapshot> {
  id: string;
  title: string;
  check(snapshot: Snapshot): Verdict;
}

export interface StageReport {
  id: string;
  title: string;
  verdict: Verdict;
}

export const met: Verdict = { state: 'met' };
export const waiting = (why: string): Verdict => ({ state: 'waiting', why });
export const unseen = (why: string): Verdict => ({ state: 'unseen', why });
export const failed = (why: string, hint?: string): Verdict => ({ state: 'failed', why, ...(hint ? { hint } : {}) });
/** What nothing but somebody's action changes: a Job that has used up its tries. */
export const failedForGood = (why: string, hint?: string): Verdict => ({
  state: 'failed',
  why,
  final: true,
  ...(hint ? { hint } : {}),
});

/**
 * Judges every stage of a list by itself, then lets a later met stage settle earlier ones that cannot be seen (any more):
 * a cluster that has joined was certainly approved, although its request has been collected since.
 */
export function judge<Snapshot>(stages: readonly Stage<Snapshot>[], snapshot: Snapshot): StageReport[] {
  const reports = stages.map(({ id, title, check }) => ({ id, title, verdict: check(snapshot) }));
  const lastMet = reports.findLastIndex((report) => report.verdict.state === 'met');
  return reports.map((report, index) =>
    index < lastMet && report.verdict.state === 'unseen' ? { ...report, verdict: met } : report,
  );
}

/** The stage that keeps a subject: the first failed one, else the first that is awaited. Undefined when nothing does. */
export function blockingStage(reports: readonly StageReport[]): StageReport | undefined {
  return (
    reports.find((report) => report.verdict.state === 'failed') ??
    reports.find((report) => report.verdict.state === 'waiting')
  );
}

/**
 * The id of the stage that a subject is at: the failed one, else the last one met before the first that is awaited.
 * Undefined when not even the first is met.
 */
export function reachedStage(reports: readonly StageReport[]): string | undefined {
  const blocking = blockingStage(reports);
  if (blocking?.verdict.state === 'failed') return blocking.id;
  const before = blocking === undefined ? reports : reports.slice(0, reports.indexOf(blocking));
  return before.findLast((report) => report.verdict.state === 'met')?.id;
}

export function isMet(reports: readonly StageReport[], id: string): boolean {
  return reports.some((report) => report.id === id && report.verdict.state === 'met');
}
