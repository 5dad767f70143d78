import { isDeepStrictEqual } from 'node:util';
import { type Finding, isNotable } from '../core/checks.ts';
import { failureOf, StellarError } from '../core/errors.ts';
import { advice } from '../core/next-step.ts';
import { poll } from '../core/poll.ts';
import { keyOf } from '../core/remedy.ts';
import type { Run } from '../core/run.ts';
import type { PlannedFix } from './doctor-fix-plan.ts';
import type { Examined } from './subject.ts';

/**
 * The result of a fix for one finding, with what was written or, in a dry run, would be. The fields are an interface:
 * docs/output.md.
 */
export interface FixResult extends Pick<PlannedFix, 'subject' | 'check' | 'code' | 'writes'> {
  /**
   * `fixed`: the finding is gone. `pending`: the agent has sent a new request, and a user must accept it. `unconfirmed`: everything
   * was written, and the finding was still present at the deadline. `planned`: it is a dry run.
   * `passed`: the finding was gone before any write. `refused`: nothing was written; `error` explains why. `failed`: a write failed.
   */
  result: 'fixed' | 'pending' | 'unconfirmed' | 'planned' | 'passed' | 'refused' | 'failed';
  error?: StellarError;
}

/**
 * Applies the agreed fixes that a new reading still requires. Fixes of WECs run in parallel; fixes of spaces, which may share a
 * hosting cluster, run one at a time.
 * @param agreed the fixes that the user has confirmed
 * @param present the fixes by a reading since then
 */
export async function applyFixes(
  agreed: readonly PlannedFix[],
  present: readonly PlannedFix[],
  run: Run,
): Promise<FixResult[]> {
  let spaces: Promise<unknown> = Promise.resolve();
  return Promise.all(
    agreed.map((before) => {
      const now = present.find((fix) => isSame(fix, before));
      if (now === undefined) return { ...aboutOf(before), writes: [], result: 'passed' as const };
      if (before.subject.kind === 'wec') return applyOne(before, now, run);
      const result = spaces.then(() => applyOne(before, now, run));
      spaces = result.catch(() => {});
      return result;
    }),
  );
}

/** The result of a fix that was only planned. */
export const unapplied = ({ refused, ...fix }: PlannedFix): FixResult => ({
  ...aboutOf(fix),
  writes: fix.writes,
  ...(refused === undefined ? { result: 'planned' } : { result: 'refused', error: refused }),
});

const aboutOf = ({ subject, check, code }: Omit<PlannedFix, 'refused'>) => ({ subject, check, code });

const isSame = (a: PlannedFix, b: PlannedFix): boolean => isDeepStrictEqual(aboutOf(a), aboutOf(b));

async function applyOne(agreed: PlannedFix, fix: PlannedFix, run: Run): Promise<FixResult> {
  const about = { ...aboutOf(fix), writes: fix.writes };
  const refused = agreed.refused ?? fix.refused ?? changedSince(agreed, fix);
  if (refused !== undefined) return { ...about, writes: [], result: 'refused', error: refused };
  const { name } = fix.subject;
  run.progress.waiting(name, 'being fixed');
  try {
    await fix.apply();
  } catch (error) {
    const failure = failureOf(error);
    // Everything was written; the next reading shows the effect.
    if (failure.code !== 'timeout') return { ...about, result: 'failed', error: failure };
  }
  return { ...about, result: 'unconfirmed' };
}

/** The user has not agreed to writes to another object. */
function changedSince(agreed: PlannedFix, { writes, subject }: PlannedFix): StellarError | undefined {
  const known = new Set(agreed.writes.map(keyOf));
  if (writes.every((write) => known.has(keyOf(write)))) return undefined;
  return new StellarError(
    'conflict',
    `The steps that fix ${subject.name} have changed since they were shown. Nothing was written.`,
    {
      next: [advice('Rerun the command')],
    },
  );
}

/** Reads until the fixed findings are gone, or until the deadline. @returns the last reading, and the results of the fixes */
export async function confirmFixes(
  results: readonly FixResult[],
  read: () => Promise<Examined[]>,
  run: Run,
): Promise<{ examined: Examined[]; fixed: FixResult[] }> {
  let examined = await read();
  const isOpen = (result: FixResult) =>
    result.result === 'unconfirmed' && outcomeOf(result, examined) === 'unconfirmed';
  if (results.some(isOpen))
    await poll(async () => {
      examined = await read();
      return !results.some(isOpen) || undefined;
    }, run);
  const fixed = results.map((each) =>
    each.result === 'unconfirmed' ? { ...each, result: outcomeOf(each, examined) } : each,
  );
  return { examined, fixed };
}

/** A different problem in its place is a new finding; a finding that is no longer visible is not proof of a fix. */
function outcomeOf(
  { subject, check, code }: FixResult,
  examined: readonly Examined[],
): 'fixed' | 'pending' | 'unconfirmed' {
  const { findings = [] } = examined.find((each) => isDeepStrictEqual(each.subject, subject)) ?? {};
  const finding = findings.find(({ id }) => id === check);
  if (finding?.status === 'pass') return 'fixed';
  if (finding !== undefined && finding.status !== 'skipped' && finding.problem.code !== code) return 'fixed';
  return findings.some(isDecision) ? 'pending' : 'unconfirmed';
}

const isDecision = (finding: Finding): boolean => isNotable(finding) && decisions.includes(finding.problem.code);

/** The codes of problems that only a user's decision resolves. */
const decisions = ['request-pending', 'reregistration-pending'];
