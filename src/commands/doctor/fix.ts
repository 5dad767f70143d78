import { isNotable } from '../../lib/core/checks.ts';
import { asCalled } from '../../lib/core/next-step.ts';
import { poll } from '../../lib/core/poll.ts';
import { runProgram } from '../../lib/core/program.ts';
import { count } from '../../lib/core/text/words.ts';
import { subjectName } from '../../lib/doctor/catalogue.ts';
import type { Examined } from '../../lib/doctor/subject.ts';
import { needsDecision } from '../../lib/wecs/registration/problems.ts';
import { confirm } from '../common/confirm.ts';
import type { Session } from '../common/session.ts';
import { writeText } from '../terminal/clean.ts';
import type { DoctorOptions } from './input.ts';

/** A printed command that --fix runs, with what it helps against. The fields are an interface: docs/output.md. */
export interface Fix {
  command: string;
  findings: { subject: string; check: string; code: string }[];
  /**
   * `fixed`: the findings are gone. `unconfirmed`: the command has succeeded, and one of them was still present at the deadline.
   * `failed`: the command has failed, or a user must confirm it. `planned`: it is a dry run.
   */
  result: 'fixed' | 'unconfirmed' | 'failed' | 'planned';
}

/** Commands that keep what exists, and ask where something could be lost. */
const remedies = /^stellarctl (?:wec join|its re(?:pair|new)|wds re(?:pair|new|start)) /;

/** The commands that findings name and that need no decision of a user, each once. */
export function fixesOf(examined: readonly Examined[], skip: readonly string[] = []): Fix[] {
  const fixes = new Map<string, Fix>();
  for (const { subject, findings } of examined)
    for (const finding of findings) {
      if (!isNotable(finding) || skip.includes(finding.id)) continue;
      const { code, next } = finding.problem;
      const commands = next.flatMap((step) =>
        'command' in step && !step.isPartial ? step.command : [],
      );
      const command = commands.find((each) => remedies.test(each));
      if (command === undefined || needsDecision(code)) continue;
      const fix = fixes.get(command) ?? { command, findings: [], result: 'planned' };
      fix.findings.push({ subject: subjectName(subject), check: finding.id, code });
      fixes.set(command, fix);
    }
  return [...fixes.values()];
}

const describeFix = ({ command, findings }: Fix) =>
  `${asCalled(command)}      (${findings.map(({ subject, code }) => `${subject}: ${code}`).join(', ')})`;

/**
 * Runs the commands that the findings name, as a user would type them, and examines until the findings are gone or the deadline has
 * passed.
 * @param examine takes one reading @returns the last reading, and the commands @throws StellarError `not-confirmed`
 */
export async function fixFindings(
  session: Session,
  options: DoctorOptions,
  examine: () => Promise<Examined[]>,
): Promise<{ all: Examined[]; fixed: Fix[] }> {
  let all = await examine();
  const fixes = fixesOf(all, options.skip);
  for (const fix of fixes) session.progress.note(describeFix(fix));
  if (fixes.length === 0)
    session.progress.note(
      all.some(({ findings }) => findings.some(isNotable))
        ? 'Nothing can be fixed without you: see the findings.'
        : 'Nothing to fix.',
    );
  if (fixes.length === 0 || session.run.dryRun) return { all, fixed: fixes };

  await confirm(session, {
    verb: 'Run',
    name: count(fixes.length, 'command'),
    number: fixes.length,
  });
  const ran: Fix[] = [];
  for (const fix of fixes)
    ran.push({
      ...fix,
      result: (await runCommand(session, fix.command, options)) ? 'unconfirmed' : 'failed',
    });
  session.progress.waiting('doctor', 'checking what was fixed');
  const isOpen = ({ result, findings }: Fix) =>
    result === 'unconfirmed' && findings.some((each) => !isFindingGone(each, all));
  await poll(async () => {
    all = await examine();
    return !ran.some(isOpen) || undefined;
  }, session.run);
  const fixed = ran.map(
    (fix): Fix => (fix.result === 'failed' || isOpen(fix) ? fix : { ...fix, result: 'fixed' }),
  );
  for (const { command, result } of fixed)
    if (result === 'unconfirmed')
      session.progress.note(`Still reported after ${asCalled(command)}`);
  return { all, fixed };
}

/** A different problem in its place is a new finding; a finding that is no longer visible is not proof of a fix. */
function isFindingGone(
  { subject, check, code }: Fix['findings'][number],
  examined: readonly Examined[],
) {
  const { findings = [] } = examined.find((each) => subjectName(each.subject) === subject) ?? {};
  const finding = findings.find(({ id }) => id === check);
  return (
    finding?.status === 'pass' ||
    (finding !== undefined && isNotable(finding) && finding.problem.code !== code)
  );
}

/** Runs a command of stellarctl in a process of its own, which cannot ask. @returns whether it has succeeded */
async function runCommand(
  { progress, io, programs }: Session,
  command: string,
  options: DoctorOptions,
) {
  progress.note(`$ ${asCalled(command)}`);
  progress.stop();
  const args = [...process.execArgv, process.argv[1] ?? '', ...argumentsOf(command, options)];
  const { exitCode } = await runProgram(programs)(
    { name: 'stellarctl', path: process.execPath },
    { args, onStderr: (text) => writeText(io.stderr, text) },
  );
  progress.resume();
  return exitCode === 0;
}

/** What follows the name of the program: the words of the command, with the kubeconfigs in which doctor has found its contexts. */
export function argumentsOf(
  command: string,
  { kubeconfig, wecKubeconfig }: Partial<DoctorOptions>,
): string[] {
  const words = wordsOf(command).slice(1);
  // A context of that name in another file may lead to another cluster. The other commands have no WECs.
  const ofWecs =
    words[0] === 'wec' && wecKubeconfig !== undefined ? [`--wec-kubeconfig=${wecKubeconfig}`] : [];
  return [...words, ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]), ...ofWecs];
}

/** The words of a line that `command` has made. */
export const wordsOf = (line: string) =>
  (line.match(/(?:'[^']*'|\\'|[^ '\\])+/g) ?? []).map((word) =>
    word.replace(/'([^']*)'|\\'/g, (_, quoted?: string) => quoted ?? "'"),
  );
