import { failureOf } from './errors.ts';
import type { NextStep } from './next-step.ts';
import { type Problem, problem } from './problem.ts';
import type { StageReport } from './stages.ts';

/** How a check has come out: what was found, or why it is not so. */
export type Outcome =
  | { status: 'pass'; found?: string }
  /**
   * warn: something will not work as it is, though not everything; fail: nothing will; skipped: it does not matter here, or cannot be
   * seen.
   */
  | { status: 'warn' | 'fail' | 'skipped'; problem: Problem };

/** What is known of a check before it is made. */
export interface CheckInfo {
  id: string;
  /** A statement, which is true where the check passes. */
  title: string;
}

/** Something that should be so of a subject. */
export interface Check<Subject> extends CheckInfo {
  /** The ids of checks whose failure explains one of this: where one of them has failed, this is not reported as well. */
  needs?: readonly string[];
  /** May throw StellarError: then the check has failed. */
  look: (subject: Subject) => Outcome | Promise<Outcome>;
}

/** A check with what came of it. */
export type Finding = Pick<CheckInfo, 'id' | 'title'> & Outcome;

/** Whether something is wrong. */
export const isNotable = (finding: Finding): finding is Extract<Finding, { status: 'warn' | 'fail' | 'skipped' }> =>
  finding.status === 'warn' || finding.status === 'fail';

type Cause = Parameters<typeof problem>;

export const pass = (found?: string): Outcome => ({ status: 'pass', ...(found === undefined ? {} : { found }) });
export const warn = (...cause: Cause): Outcome => ({ status: 'warn', problem: problem(...cause) });
export const fail = (...cause: Cause): Outcome => ({ status: 'fail', problem: problem(...cause) });
export const skipped = (why: string, ...next: NextStep[]): Outcome => ({
  status: 'skipped',
  problem: problem('skipped', why, ...next),
});

/**
 * Makes all checks, side by side. What a check cannot find out has failed, with the reason.
 * @param failed checks that have failed before, of which these may be consequences
 * @throws StellarError `interrupted`
 */
export async function makeChecks<Subject>(
  checks: readonly Check<Subject>[],
  subject: Subject,
  failed: readonly Finding[] = [],
): Promise<Finding[]> {
  const asFailure = (error: unknown): Outcome => ({ status: 'fail', problem: failureOf(error) });
  const outcomes = await Promise.all(
    checks.map(async ({ look }) => {
      try {
        return await look(subject);
      } catch (error) {
        return asFailure(error);
      }
    }),
  );
  const findings: Finding[] = [];
  for (const [index, { id, title, needs = [] }] of checks.entries()) {
    const outcome = outcomes[index] as Outcome;
    const causes = outcome.status === 'pass' ? needs : [...needs, ...(outcome.problem.causedBy ?? [])];
    const known = [...failed, ...findings].filter((each) => causes.includes(each.id));
    const cause = known.find((each) => explains(each, outcome));
    findings.push({ id, title, ...(cause ? dependent(cause) : outcome) });
  }
  return findings;
}

/** Findings that were made apart from what may explain them. @param needs the ids of what explains a finding, by its own */
export function underCauses(
  findings: readonly Finding[],
  causes: readonly Finding[],
  needs: Readonly<Record<string, readonly string[]>>,
): Finding[] {
  return findings.map((finding) => {
    const { id, title } = finding;
    const cause = causes.find((each) => needs[id]?.includes(each.id) && explains(each, finding));
    return cause === undefined ? finding : { id, title, ...dependent(cause) };
  });
}

/** A failure explains another and a warning; a warning explains another one. What is skipped as a consequence explains as its cause does. */
function explains(cause: Finding, { status }: Outcome): boolean {
  if (status !== 'fail' && status !== 'warn') return false;
  return cause.status === 'fail' || isDependent(cause) || (cause.status === 'warn' && status === 'warn');
}

const dependentCode = 'depends';

/** Whether it was skipped because of a failed check. */
export const isDependent = (finding: Finding): boolean =>
  finding.status === 'skipped' && finding.problem.code === dependentCode;

const dependent = ({ title }: Pick<CheckInfo, 'title'>): Outcome => ({
  status: 'skipped',
  problem: problem(dependentCode, `depends on "${title}"`),
});

/**
 * Stages as checks. What is awaited is a warning; of what comes after a stage that is not met, nothing is said where it is not met
 * either, since it may follow from it.
 * @param kind what begins the ids, as `its`
 */
export function findingsOfStages(kind: string, name: string, reports: readonly StageReport[]): Finding[] {
  let blocking: Finding | undefined;
  const checks = checksOfStages(kind, reports);
  return reports.map(({ id, verdict }, index) => {
    const check = checks[index] as CheckInfo;
    if (verdict.state === 'met') return { ...check, ...pass() };
    if (verdict.state === 'unseen') return { ...check, ...skipped(verdict.why) };
    if (blocking !== undefined) return { ...check, ...dependent(blocking) };
    const { state, why, code = id, next = [] } = verdict;
    const outcome = state === 'failed' ? fail : warn;
    blocking = { ...check, ...outcome(code, `${name} is blocked at "${check.title}": ${why}.`, ...next) };
    return blocking;
  });
}

/** Stages as checks, before they are judged. */
export const checksOfStages = (kind: string, stages: readonly CheckInfo[]): CheckInfo[] =>
  stages.map(({ id, title }) => ({ id: `${kind}-${id}`, title }));
