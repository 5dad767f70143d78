import { isDeepStrictEqual } from 'node:util';
import { type Finding, isNotable } from '../../engine/checks.ts';
import { failureOf, StellarError } from '../../engine/errors.ts';
import { inWords } from '../../engine/next-step.ts';
import { poll } from '../../engine/poll.ts';
import { keyOf } from '../../engine/remedy.ts';
import type { Run } from '../../engine/run.ts';
import type { Examined } from '../subject.ts';
import type { PlannedFix } from './plan.ts';

/** What became of one finding, with what was done about it or, where it was only planned, would be. The fields are an interface: docs/output.md. */
export interface FixResult extends Pick<PlannedFix, 'subject' | 'check' | 'code' | 'steps'> {
  /**
   * `fixed`: it is not found any more. `pending`: the agent has asked anew, and a person has to accept it. `unconfirmed`: all steps were taken, and it was still found at the deadline. `planned`: it is a dry run.
   * `passed`: it was not found any more before anything was done. `refused`: nothing was done, which `error` explains. `failed`: so was a step.
   */
  result: 'fixed' | 'pending' | 'unconfirmed' | 'planned' | 'passed' | 'refused' | 'failed';
  error?: StellarError;
}

/**
 * Does what was agreed to, as far as a new look still asks for it. Those of one WEC do not wait for those of another; those of spaces,
 * which may have their hosting cluster in common, go one after the other.
 * @param agreed what a person has said yes to
 * @param present what is to be done by a look since then
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
      if (now === undefined) return { ...aboutOf(before), steps: [], result: 'passed' as const };
      if (before.subject.kind === 'wec') return applyOne(before, now, run);
      const result = spaces.then(() => applyOne(before, now, run));
      spaces = result.catch(() => {});
      return result;
    }),
  );
}

/** Of what was only planned. */
export const unapplied = ({ refused, ...fix }: PlannedFix): FixResult => ({
  ...aboutOf(fix),
  steps: fix.steps,
  ...(refused === undefined ? { result: 'planned' } : { result: 'refused', error: refused }),
});

const aboutOf = ({ subject, check, code }: Omit<PlannedFix, 'refused'>) => ({ subject, check, code });

const isSame = (a: PlannedFix, b: PlannedFix): boolean => isDeepStrictEqual(aboutOf(a), aboutOf(b));

async function applyOne(agreed: PlannedFix, fix: PlannedFix, run: Run): Promise<FixResult> {
  const about = { ...aboutOf(fix), steps: fix.steps };
  const refused = agreed.refused ?? fix.refused ?? changedSince(agreed, fix);
  if (refused !== undefined) return { ...about, steps: [], result: 'refused', error: refused };
  const { name } = fix.subject;
  run.progress.waiting(name, 'being fixed');
  try {
    await fix.apply();
  } catch (error) {
    const failure = failureOf(error);
    // All was written; what it leads to is looked at next.
    if (failure.code !== 'timeout') return { ...about, result: 'failed', error: failure };
  }
  return { ...about, result: 'unconfirmed' };
}

/** Nobody has agreed to a step on another object. */
function changedSince(agreed: PlannedFix, { steps, subject }: PlannedFix): StellarError | undefined {
  const known = new Set(agreed.steps.map(keyOf));
  if (steps.every((step) => known.has(keyOf(step)))) return undefined;
  return new StellarError(
    'conflict',
    `The steps that fix ${subject.name} have changed since they were shown. Nothing was written.`,
    {
      next: [inWords('Rerun the command')],
    },
  );
}

/**
 * Looks until what was fixed is not found any more, or the deadline has passed.
 * @returns what was seen last, and what became of the fixes
 */
export async function confirmFixes(
  results: readonly FixResult[],
  look: () => Promise<Examined[]>,
  run: Run,
): Promise<{ examined: Examined[]; fixed: FixResult[] }> {
  let examined = await look();
  const isOpen = (result: FixResult) =>
    result.result === 'unconfirmed' && outcomeOf(result, examined) === 'unconfirmed';
  if (results.some(isOpen))
    await poll(async () => {
      examined = await look();
      return !results.some(isOpen) || undefined;
    }, run);
  const fixed = results.map((each) =>
    each.result === 'unconfirmed' ? { ...each, result: outcomeOf(each, examined) } : each,
  );
  return { examined, fixed };
}

/** Another problem in its place is another one; that nothing is seen of it any more is no proof. */
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

/** The codes of what only a person ends. */
const decisions = ['request-pending', 'agent-asks-anew'];
