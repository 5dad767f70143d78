import { isNotable } from '../../lib/core/checks.ts';
import { count } from '../../lib/core/counts.ts';
import { stepLines } from '../../lib/core/next-step.ts';
import type { Write } from '../../lib/core/remedy.ts';
import type { DoctorInput } from '../../lib/doctor/doctor.ts';
import type { FixResult } from '../../lib/doctor/doctor-fix-apply.ts';
import type { PlannedFix } from '../../lib/doctor/doctor-fix-plan.ts';
import { subjectName } from '../../lib/doctor/finding-report.ts';
import type { Examined } from '../../lib/doctor/subject.ts';
import { confirm } from '../common/confirm.ts';
import type { Session } from '../common/session.ts';
import { toDocument } from '../terminal/output.ts';
import type { DoctorOptions } from './input.ts';

/** The results of the fixes, and the last reading. */
interface Fixed {
  all: Examined[];
  fixed: FixResult[];
}

/**
 * Fixes what needs no human decision: plans, announces the plan, asks, examines again, and applies the confirmed fixes that are
 * still needed. Then it examines until the findings are gone or the deadline has passed.
 * @param examine takes one reading @throws StellarError `not-confirmed`
 */
export async function fixFindings(
  session: Session,
  options: DoctorOptions,
  input: DoctorInput,
  examine: () => Promise<Examined[]>,
): Promise<Fixed> {
  const { FixPlanner, lacksContext } = await import('../../lib/doctor/doctor-fix-plan.ts');
  const { applyFixes, confirmFixes, unapplied } = await import('../../lib/doctor/doctor-fix-apply.ts');
  const planner = new FixPlanner(input.spaces, session.run);
  const plan = async (of: readonly Examined[]) =>
    (await planner.plan(of)).filter(({ check }) => !options.skip?.includes(check));
  const all = await examine();
  const planned = await plan(all);
  const lacking = all.filter(lacksContext).length;
  if (lacking > 0)
    session.progress.note(`${count(lacking, 'WEC')} can be fixed only with its context: give NAME=CONTEXT`);
  const open = planned.filter(({ refused }) => refused === undefined);
  announce(session, input, open);
  for (const fix of planned) for (const line of describePlanned(fix)) session.progress.note(line);
  const isWell = !all.some(({ findings }) => findings.some(isNotable));
  if (open.length === 0)
    session.progress.note(isWell ? 'Nothing to fix.' : 'Nothing can be fixed without you: see the findings.');
  if (open.length === 0 || session.run.dryRun) return { all, fixed: planned.map(unapplied) };

  await confirm(session, { ...confirmationOf(open), yes: options.yes });
  // The time that the user took to confirm does not count.
  session.run.deadline.restart(options.timeout);
  const present = await plan(await examine());
  session.progress.waiting('doctor', 'fixing');
  const applied = await applyFixes(planned, present, session.run);
  for (const result of applied) say(session, result);
  session.progress.waiting('doctor', 'checking what was fixed');
  const { examined, fixed } = await confirmFixes(applied, examine, session.run);
  for (const { result, subject, code } of fixed)
    if (result === 'unconfirmed')
      session.progress.note(`${subjectName(subject)}: ${code} is still reported; the fix is unconfirmed`);
  return { all: examined, fixed };
}

/** Announces the clusters that the fixes write to. */
function announce(session: Session, { spaces, wecs }: DoctorInput, open: readonly PlannedFix[]): void {
  if (spaces !== undefined && open.some(({ subject }) => subject.kind !== 'wec'))
    session.announce(spaces.hosting, 'Hosting cluster');
  const names = new Set(open.flatMap(({ subject: { kind, name } }) => (kind === 'wec' ? name : [])));
  for (const { name, kube } of wecs) if (kube !== undefined && names.has(name)) session.announce(kube, `WEC ${name}:`);
}

function describePlanned({ subject, code, writes, refused }: PlannedFix): string[] {
  const about = `${subjectName(subject)} (${code})`;
  if (refused === undefined) return writes.map((write) => `${about}: ${describeWrite(write)}`);
  return [`${about} needs your decision: ${refused.message}`, ...stepLines(refused.next, '  ')];
}

const describeWrite = ({ verb, object, on, why }: Write): string =>
  `${verb} ${object} on ${on}${why === undefined ? '' : ` (${why})`}`;

function confirmationOf(open: readonly PlannedFix[]) {
  const [first, ...others] = open;
  const confirmation = { verb: 'Fix', doing: 'Fixing' };
  if (first !== undefined && others.length === 0) return { ...confirmation, name: first.subject.name };
  return { ...confirmation, name: count(open.length, 'finding'), number: open.length };
}

function say(session: Session, { subject, writes, result, error }: FixResult): void {
  const { name } = subject;
  if (error !== undefined)
    for (const line of [`${name}: not fixed: ${error.message}`, ...stepLines(error.next, '  ')])
      session.progress.note(line);
  else if (result === 'passed') session.progress.note(`${name}: nothing left to do`);
  else for (const write of writes) session.progress.reached(name, `done: ${describeWrite(write)}`);
}

/** Converts the results of fixes to their document format. The fields are an interface: docs/output.md. */
export const describeFixed = (fixed: readonly FixResult[]): object[] =>
  toDocument(
    fixed.map(({ subject, ...rest }) => ({
      subject: subjectName(subject),
      ...(subject.its === undefined ? {} : { its: subject.its }),
      ...rest,
    })),
  ).items;
