import { failureOf } from './errors.ts';
import { type NextStep, type Problem, problem } from './next-step.ts';
import { blockingStage, isLoss, type StageReport } from './stages.ts';

/** The result of a check: what it found, or why it did not pass. */
export type Outcome =
  | { status: 'pass'; found?: string }
  /** warn: part of it will not work as it is; fail: none of it will; skipped: it does not apply here, or cannot be seen. */
  | { status: 'warn' | 'fail' | 'skipped'; problem: Problem };

/** What is known about a check before it runs. */
export interface CheckInfo {
  id: string;
  /** A statement that is true if the check passes. */
  title: string;
}

/** A condition that should hold for a subject. */
export interface Check<Subject> extends CheckInfo {
  /** The ids of checks whose failure explains a failure of this one: if one of them fails, this one is not reported. */
  needs?: readonly string[];
  /** May throw a StellarError, which fails the check. */
  run: (subject: Subject) => Outcome | Promise<Outcome>;
}

/** A check with its result. */
export type Finding = Pick<CheckInfo, 'id' | 'title'> & Outcome;

/** Whether a finding did not pass. */
export const isNotable = (
  finding: Finding,
): finding is Extract<Finding, { status: 'warn' | 'fail' | 'skipped' }> =>
  finding.status === 'warn' || finding.status === 'fail';

type Cause = Parameters<typeof problem>;

export const pass = (found?: string): Outcome => ({
  status: 'pass',
  ...(found === undefined ? {} : { found }),
});
export const warn = (...cause: Cause): Outcome => ({ status: 'warn', problem: problem(...cause) });
export const fail = (...cause: Cause): Outcome => ({ status: 'fail', problem: problem(...cause) });
/** The outcome of a check that looks for a problem. */
export const unless = (found: Problem | undefined): Outcome =>
  found === undefined ? pass() : { status: found.severity ?? 'fail', problem: found };
export const skipped = (why: string, ...next: NextStep[]): Outcome => ({
  status: 'skipped',
  problem: problem('skipped', why, ...next),
});

/**
 * Runs all checks in parallel. A check that cannot get its answer fails, with the reason.
 * @param failed earlier failed checks that may be the cause of these
 * @throws StellarError `interrupted`
 */
export async function runChecks<Subject>(
  checks: readonly Check<Subject>[],
  subject: Subject,
  failed: readonly Finding[] = [],
): Promise<Finding[]> {
  const asFailure = (error: unknown): Outcome => ({ status: 'fail', problem: failureOf(error) });
  const outcomes = await Promise.all(
    checks.map(({ run }) => Promise.resolve(subject).then(run).catch(asFailure)),
  );
  const findings: Finding[] = [];
  for (const [index, { id, title, needs = [] }] of checks.entries()) {
    const outcome = outcomes[index] as Outcome;
    const causes =
      outcome.status === 'pass' ? needs : [...needs, ...(outcome.problem.causedBy ?? [])];
    const known = [...failed, ...findings].filter((each) => causes.includes(each.id));
    const cause = known.find((each) => explains(each, outcome));
    findings.push({ id, title, ...(cause ? dependent(cause) : outcome) });
  }
  return findings;
}

/**
 * Findings that were made separately from the ones that may explain them.
 * @param needs the ids of the explaining findings, by the id of the explained one
 */
export const underCauses = (
  findings: readonly Finding[],
  causes: readonly Finding[],
  needs: Readonly<Record<string, readonly string[]>>,
): Promise<Finding[]> =>
  runChecks(
    findings.map((finding) => ({ ...finding, needs: needs[finding.id] ?? [], run: () => finding })),
    undefined,
    causes,
  );

/**
 * A failure explains failures and warnings; a warning explains another warning. A skipped consequence explains what its cause does.
 */
function explains(cause: Finding, { status }: Outcome) {
  if (status !== 'fail' && status !== 'warn') return false;
  return (
    cause.status === 'fail' || isDependent(cause) || (cause.status === 'warn' && status === 'warn')
  );
}

const dependentCode = 'depends';

/** Whether it was skipped because another check failed. */
export const isDependent = (finding: Finding) =>
  finding.status === 'skipped' && finding.problem.code === dependentCode;

/** The outcome of a check that says nothing because another one has failed. */
export const dependent = ({ title }: Pick<CheckInfo, 'title'>): Outcome => ({
  status: 'skipped',
  problem: problem(dependentCode, `depends on "${title}"`),
});

/**
 * Stages as checks: the failed one, else the first one that is waited for, which is a warning. Other unmet stages are not reported,
 * since they may follow from it, except for what is missing that was there.
 * @param kind the prefix of the ids, such as `its`
 */
export function findingsOfStages(
  kind: string,
  name: string,
  reports: readonly StageReport[],
): Finding[] {
  const checks = checksOfStages(kind, reports);
  const blocking = blockingStage(reports);
  return reports.map((report, index) => {
    const { id, verdict } = report;
    const check = checks[index] as CheckInfo;
    if (verdict.state === 'met') return { ...check, ...pass() };
    if (verdict.state === 'unseen') return { ...check, ...skipped(verdict.why) };
    if (blocking !== undefined && id !== blocking.id && !isLoss(report))
      return { ...check, ...dependent(blocking) };
    const { state, why, code = id, next = [] } = verdict;
    const outcome = state === 'failed' ? fail : warn;
    return {
      ...check,
      ...outcome(code, `${name} is blocked at "${check.title}": ${why}.`, ...next),
    };
  });
}

/** Stages as checks, before they are judged. */
export const checksOfStages = (kind: string, stages: readonly CheckInfo[]): CheckInfo[] =>
  stages.map(({ id, title }) => ({ id: `${kind}-${id}`, title }));
