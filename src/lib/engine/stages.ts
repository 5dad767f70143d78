import type { NextStep } from './next-step.ts';

/** What may be said of a stage that has failed or is awaited. */
export interface VerdictDetails {
  /** A stable name of what is wrong, where the stage can fail in ways that somebody tells apart. */
  code?: string;
  /** What helps where it does not come by itself. */
  next?: readonly NextStep[];
}

/** What one look at the evidence says of a stage. */
export type Verdict =
  | { state: 'met' }
  /** Will come by itself, as far as can be seen. */
  | ({ state: 'waiting'; why: string } & VerdictDetails)
  /** Will not recover without somebody's action. */
  | ({
      state: 'failed';
      why: string;
      /** Nothing of it can pass: whoever waits need not see it again to believe it. */
      final?: true;
    } & VerdictDetails)
  /** The evidence cannot be had, or is gone. */
  | { state: 'unseen'; why: string };

export interface Stage<Snapshot> {
  id: string;
  title: string;
  /** How long a failure of it is watched before it is believed, in milliseconds, where it takes longer than others to pass. */
  graceMs?: number;
  check(snapshot: Snapshot): Verdict;
}

export interface StageReport {
  id: string;
  title: string;
  verdict: Verdict;
}

/** A stage that has failed or is awaited. */
export interface BlockedReport extends StageReport {
  verdict: Extract<Verdict, { state: 'waiting' | 'failed' }>;
}

export const met: Verdict = { state: 'met' };
export const waiting = (why: string, details?: VerdictDetails): Verdict => ({ state: 'waiting', why, ...details });
export const unseen = (why: string): Verdict => ({ state: 'unseen', why });
export const failed = (why: string, details?: VerdictDetails): Verdict => ({ state: 'failed', why, ...details });
/** What nothing but somebody's action changes: a Job that has used up its tries. */
export const failedForGood = (why: string, details?: VerdictDetails): Verdict => ({
  state: 'failed',
  why,
  final: true,
  ...details,
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
export function blockingStage(reports: readonly StageReport[]): BlockedReport | undefined {
  const blocked = reports.filter(isBlocked);
  return blocked.find(({ verdict }) => verdict.state === 'failed') ?? blocked[0];
}

const isBlocked = (report: StageReport): report is BlockedReport =>
  report.verdict.state === 'failed' || report.verdict.state === 'waiting';

/** What a subject has reached and what it has not, as scripts get it: docs/output.md. */
export interface Standing {
  /** The id of the last stage that is met before the first that has failed or is awaited; null where there is none. */
  stage: string | null;
  /** The stage that has failed, else the first that is awaited; null where nothing that can be seen has failed or is awaited. */
  blockedAt: { stage: string; state: 'failed' | 'waiting'; why: string } | null;
}

/** A stage as scripts get it: docs/output.md. */
export interface StageView {
  id: string;
  title: string;
  state: 'met' | 'waiting' | 'failed' | 'not-visible';
  why?: string;
}

export const stageViews = (reports: readonly StageReport[]): StageView[] =>
  reports.map(({ id, title, verdict }) => ({
    id,
    title,
    state: verdict.state === 'unseen' ? 'not-visible' : verdict.state,
    ...(verdict.state === 'met' ? {} : { why: verdict.why }),
  }));

/** Nothing was reached, or nothing was seen of it. */
export const unreached: Standing = { stage: null, blockedAt: null };

export function standingOf(reports: readonly StageReport[]): Standing {
  const open = reports.findIndex(isBlocked);
  const before = open === -1 ? reports : reports.slice(0, open);
  const blocking = blockingStage(reports);
  return {
    stage: before.findLast(({ verdict }) => verdict.state === 'met')?.id ?? null,
    blockedAt: blocking ? { stage: blocking.id, state: blocking.verdict.state, why: blocking.verdict.why } : null,
  };
}

export function isMet(reports: readonly StageReport[], id: string): boolean {
  return reports.some((report) => report.id === id && report.verdict.state === 'met');
}
