import type { NextStep } from './next-step.ts';

/** Details of a stage that has failed or is waited for. */
export interface VerdictDetails {
  /** A stable code of the problem, if programs distinguish the failures of the stage. */
  code?: string;
  /** What helps if the stage is not met by itself. */
  next?: readonly NextStep[];
  /** When it began, RFC 3339, if an object records that. */
  since?: string | undefined;
}

/** The verdict of one reading of the evidence on a stage. */
export type Verdict =
  | { state: 'met' }
  /** As far as visible, the stage will be met by itself. */
  | ({ state: 'waiting'; why: string } & VerdictDetails)
  /** Will not recover without a user's action. */
  | ({
      state: 'failed';
      why: string;
      /** It cannot pass: no grace period applies. */
      final?: true;
      /** Something that was there is missing: an earlier failure does not explain it. */
      isLoss?: true;
    } & VerdictDetails)
  /** The evidence is not available, or is gone. */
  | { state: 'unseen'; why: string };

export interface Stage<Snapshot> {
  id: string;
  title: string;
  /** The grace period of its failure in milliseconds, if it needs longer than others to pass. */
  graceMs?: number;
  /** The ids of the stages that have certainly been reached if this one is met. */
  settles?: readonly string[];
  check(snapshot: Snapshot): Verdict;
}

export interface StageReport {
  id: string;
  title: string;
  verdict: Verdict;
}

export type BlockedVerdict = Extract<Verdict, { state: 'waiting' | 'failed' }>;

/** A stage that has failed or is waited for. */
export interface BlockedReport extends StageReport {
  verdict: BlockedVerdict;
}

export const met: Verdict = { state: 'met' };
export const waiting = (why: string, more?: VerdictDetails): BlockedVerdict => ({
  state: 'waiting',
  why,
  ...more,
});
export const unseen = (why: string): Verdict => ({ state: 'unseen', why });
export const failed = (why: string, details?: VerdictDetails): BlockedVerdict => ({
  state: 'failed',
  why,
  ...details,
});
/** A failure because something is missing that was there. */
export const lost = (what: string, ...next: NextStep[]): Verdict => ({
  state: 'failed',
  why: `${what} is missing`,
  isLoss: true,
  next,
});
/** A failure that only a user's action changes: a Job that has used up its retries. */
export const failedForGood = (why: string, details?: VerdictDetails): Verdict => ({
  state: 'failed',
  why,
  final: true,
  ...details,
});

/**
 * Judges each stage by itself. A met stage then settles those it names that are not visible: a cluster that has joined
 * was certainly approved, even if its request has been garbage-collected since.
 */
export function judge<Snapshot>(
  stages: readonly Stage<Snapshot>[],
  snapshot: Snapshot,
): StageReport[] {
  const reports = stages.map(({ id, title, check }) => ({ id, title, verdict: check(snapshot) }));
  const settled = new Set(
    stages.flatMap(({ id, settles = [] }) => (isMet(reports, id) ? settles : [])),
  );
  return reports.map((report) =>
    report.verdict.state === 'unseen' && settled.has(report.id)
      ? { ...report, verdict: met }
      : report,
  );
}

/**
 * The stage that blocks a subject: the first failed one, with what else is missing, or the first one that is waited for. Undefined
 * if none does.
 */
export function blockingStage(reports: readonly StageReport[]): BlockedReport | undefined {
  const blocked = reports.filter(isBlocked);
  const failed = blocked.find(({ verdict }) => verdict.state === 'failed');
  const losses = blocked.filter((report) => report !== failed && isLoss(report));
  if (failed === undefined || losses.length === 0) return failed ?? blocked[0];
  const verdicts = [failed, ...losses].map(({ verdict }) => verdict);
  const next = verdicts.flatMap((verdict) => verdict.next ?? []);
  return {
    ...failed,
    verdict: { ...failed.verdict, why: verdicts.map(({ why }) => why).join('; '), next },
  };
}

/** Whether something is missing that was there, whatever else has failed. */
export const isLoss = ({ verdict }: StageReport) =>
  verdict.state === 'failed' && verdict.isLoss === true;

const isBlocked = (report: StageReport): report is BlockedReport =>
  report.verdict.state === 'failed' || report.verdict.state === 'waiting';

/** The stages that a subject has reached and not reached, for scripts: docs/output.md. */
export interface Standing {
  /** The id of the last met stage before the first one that has failed or is waited for; null if there is none. */
  stage: string | null;
  /** The failed stage, else the first one that is waited for; null if no visible stage has failed or is waited for. */
  blockedAt: { stage: string; state: 'failed' | 'waiting'; why: string; since?: string } | null;
}

/** A stage for scripts: docs/output.md. */
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

/** No stage was reached, or none is visible. */
export const unreached: Standing = { stage: null, blockedAt: null };

export function standingOf(reports: readonly StageReport[]): Standing {
  const open = reports.findIndex(isBlocked);
  const before = open === -1 ? reports : reports.slice(0, open);
  const blocking = blockingStage(reports);
  const { state, why = '', since } = blocking?.verdict ?? {};
  return {
    stage: before.findLast(({ verdict }) => verdict.state === 'met')?.id ?? null,
    blockedAt:
      blocking && state
        ? { stage: blocking.id, state, why, ...(since === undefined ? {} : { since }) }
        : null,
  };
}

export function isMet(reports: readonly StageReport[], id: string): boolean {
  return reports.some((report) => report.id === id && report.verdict.state === 'met');
}
