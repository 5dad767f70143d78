import { type Finding, isDependent, isNotable } from '../../lib/core/checks.ts';
import { asCalled, command, stepLines } from '../../lib/core/next-step.ts';
import { count, few } from '../../lib/core/text/words.ts';
import { catalogue, describeGroup, docsOf } from '../../lib/doctor/catalogue.ts';
import {
  type Examined,
  type FindingGroup,
  groupFindings,
  reachable,
  type Subject,
} from '../../lib/doctor/subject.ts';
import type { Session } from '../common/session.ts';
import type { Style } from '../terminal/style.ts';
import type { Fix } from './fix.ts';
import type { DoctorOptions } from './input.ts';

/** Lists the available checks. Needs no cluster. */
export async function listChecks(session: Session): Promise<void> {
  const items = catalogue.map((check) => ({ ...check, docs: docsOf(check.id) }));
  const rows = items.map((item) => ({ ...item, name: item.id }));
  await session.print(
    { items },
    rows,
    {
      CHECK: ({ id }) => id,
      OF: ({ room, pre }) => (pre ? `${room}, --pre` : room),
      STATEMENT: ({ title }) => title,
    },
    { DOCUMENTATION: ({ docs }) => docs },
  );
}

/** Prints the findings. @param fixed the commands that --fix has run */
export async function showExamined(
  session: Session,
  { pre }: DoctorOptions,
  examined: readonly Examined[],
  fixed: readonly Fix[] | undefined,
): Promise<void> {
  const { output } = session;
  const items = groupFindings(examined).map(describeGroup);
  const made = items.filter(({ status }) => status !== 'skipped').map(({ id }) => ({ name: id }));
  // Before an installation, passed checks matter as much as problems.
  const isWhole = output === 'wide' || (pre && output === 'table');
  const extent = isWhole ? 'all' : output === 'short' ? 'wrong' : 'sections';
  await session.show(
    { items, ...(fixed && { fixed }) },
    (style, isWide) => describeExamined(examined, style, extent, isWide),
    made,
  );
}

const symbolOf = ({ status }: Pick<Finding, 'status'>, style: Style) =>
  ({ pass: style.ok, warn: style.warn, fail: style.bad, skipped: style.faint('-') })[status];

interface View {
  style: Style;
  isWide: boolean;
}

/** Formats a finding that one or more of a section's subjects share. */
function linesOfGroup(
  { subjects, finding }: FindingGroup,
  members: number,
  { style, isWide }: View,
) {
  const title = `${finding.title}${members > 1 ? `: ${few(subjects.map(({ name }) => name)).join(', ')}` : ''}`;
  const line = `${symbolOf(finding, style)} ${title}`;
  if (finding.status === 'pass')
    return [finding.found === undefined ? line : `${line}   ${style.faint(finding.found)}`];
  if (finding.status === 'skipped')
    return [`${line}   ${style.faint(`not checked: ${finding.problem.message}`)}`];
  const { message, details = [], next } = finding.problem;
  const isOfSeveral = subjects.length > 1;
  const sentence = isOfSeveral ? `${message} (The same applies to the others.)` : message;
  const help = stepLines(next).map((step) =>
    isOfSeveral ? `${step}    (the same for each)` : step,
  );
  const docs = isWide ? [style.faint(`See ${docsOf(finding.id)}`)] : [];
  return [line, ...[sentence, ...details, ...help, ...docs].map((text) => `    ${text}`)];
}

/** What to print: everything, one line per section with its problems below, or only the sections with problems. */
type Extent = 'all' | 'sections' | 'wrong';

/**
 * Formats what was examined as human-readable lines: one each for this machine, the hosting cluster, every space, and the WECs of
 * every ITS, with the problems below it.
 */
export function describeExamined(
  examined: readonly Examined[],
  style: Style,
  extent: Extent,
  isWide = false,
): string[] {
  const groups = groupFindings(examined);
  const sections = Map.groupBy(examined, ({ subject }) => sectionOf(subject));
  const grouped = Map.groupBy(groups, ({ subjects: [first] }) => sectionOf(first));
  const lines = [...sections].flatMap(([section, parts]) => {
    const members = asOne(parts);
    const findings = (grouped.get(section) ?? []).filter(
      ({ finding }) => extent === 'all' || isNotable(finding),
    );
    const status = worst(members.flatMap(({ findings }) => findings));
    if (extent === 'wrong' && (status === 'pass' || status === 'skipped')) return [];
    return [
      `${symbolOf({ status }, style)} ${section}   ${style.faint(countOf(members))}`,
      ...(extent === 'wrong' ? [] : lookCloser(members)),
      ...findings.flatMap((group) =>
        linesOfGroup(group, members.length, { style, isWide }).map((line) => `    ${line}`),
      ),
    ];
  });
  return [...lines, summary(groups.map(({ finding }) => finding))];
}

/** What was found out about one subject in several ways. WECs share a section. */
function asOne(parts: readonly Examined[]): readonly Examined[] {
  const [first] = parts;
  if (first === undefined || first.subject.kind === 'wec') return parts;
  return [{ ...first, findings: parts.flatMap(({ findings }) => findings) }];
}

const nouns: Record<Subject['kind'], string> = {
  machine: 'this machine',
  hosting: 'hosting cluster',
  its: 'ITS',
  wds: 'WDS',
  wec: 'WECs',
};

const sectionOf = ({ kind, name, its }: Subject) =>
  kind === 'wec'
    ? its === undefined
      ? 'clusters to register'
      : `WECs of ${its}`
    : `${nouns[kind]} ${name}`.trim();

/** Returns the worst of a subject's findings. A finding that depends on another cluster's failed check counts as a warning. */
function worst(findings: readonly Finding[]): Finding['status'] {
  if (findings.some(({ status }) => status === 'fail')) return 'fail';
  if (findings.some((finding) => finding.status === 'warn' || isDependent(finding))) return 'warn';
  return findings.every(({ status }) => status === 'skipped') ? 'skipped' : 'pass';
}

function countOf(members: readonly Examined[]) {
  const [only] = members;
  if (only !== undefined && only.subject.kind !== 'wec') {
    const { findings } = only;
    const passed = findings.filter(({ status }) => status === 'pass').length;
    const skipped = findings.filter(({ status }) => status === 'skipped').map(({ id }) => id);
    const omitted = skipped.length === 0 ? '' : `, skipped: ${few(skipped).join(', ')}`;
    return passed === findings.length
      ? count(passed, 'check')
      : `${passed} of ${findings.length} checks passed${omitted}`;
  }
  const well = members.filter(({ findings }) => worst(findings) === 'pass').length;
  return `${well === members.length ? `${well}; all healthy` : `${well} of ${members.length} are healthy`}${sourceNote(members)}`;
}

/** WECs whose own clusters were not read. */
const hiddenOf = (members: readonly Examined[]) =>
  members.flatMap(({ subject: { name, its }, findings }) => {
    const isHidden = findings.some((each) => each.status === 'skipped' && !isDependent(each));
    // Its context was tried, and does not answer.
    const isTried = findings.some(({ id }) => id === reachable('wec').id);
    return its !== undefined && isHidden && !isTried ? [{ name, its }] : [];
  });

/** How to check these clusters as well: one command, for the first of them. */
function lookCloser(members: readonly Examined[]) {
  const [first, ...others] = hiddenOf(members.filter(({ reached }) => reached === undefined));
  if (first === undefined) return [];
  const more =
    others.length === 0 ? '' : `    (likewise: ${few(others.map(({ name }) => name)).join(', ')})`;
  return [
    `    To check the cluster itself: ${asCalled(command`stellarctl doctor ${`${first.name}=CONTEXT`} --its ${first.its}`)}${more}`,
  ];
}

/** States that the WECs without a context were checked through the ITS only. */
function sourceNote(members: readonly Examined[]) {
  const hidden = hiddenOf(members).length;
  if (hidden === 0) return '';
  return hidden === members.length
    ? ', according to the ITS'
    : `, ${hidden} of them according to the ITS`;
}

function summary(all: readonly Finding[]) {
  const countFor = (status: Finding['status']) =>
    all.filter((finding) => finding.status === status).length;
  const failed = countFor('fail');
  const warned = countFor('warn');
  if (failed === 0 && warned === 0) return 'No problems found.';
  const parts = [
    failed === 0 ? [] : [`${failed} failed`],
    warned === 0 ? [] : [count(warned, 'warning')],
  ].flat();
  return `${parts.join(', ')}, of ${all.length} checks.`;
}
