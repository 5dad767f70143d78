import { catalogue, docsOf } from '../../lib/doctor/catalogue.ts';
import { describeGroup } from '../../lib/doctor/finding-report.ts';
import { type Examined, groupFindings } from '../../lib/doctor/subject.ts';
import type { Session } from '../common/session.ts';
import { isForPeople } from '../terminal/io.ts';
import { describeExamined } from './doctor-text.ts';
import type { DoctorOptions } from './input.ts';

/** Lists the available checks. Needs no cluster. */
export async function listChecks(session: Session): Promise<void> {
  const items = catalogue.map((check) => ({ ...check, docs: docsOf(check.id) }));
  const rows = items.map((item) => ({ ...item, name: item.id }));
  await session.print({ items }, rows, [
    { header: 'CHECK', value: ({ id }) => id },
    { header: 'OF', value: ({ room, pre }) => (pre ? `${room}, --pre` : room) },
    { header: 'STATEMENT', value: ({ title }) => title },
    { header: 'DOCUMENTATION', value: ({ docs }) => docs, wide: true },
  ]);
}

/** Prints the findings. @param acted additional fields for scripts */
export async function showExamined(
  session: Session,
  { pre }: DoctorOptions,
  examined: readonly Examined[],
  acted: object = {},
): Promise<void> {
  const { output } = session;
  if (isForPeople(output)) {
    const isWide = output === 'wide';
    // Before an installation, passed checks matter as much as problems.
    const extent = isWide || (pre && output === 'table') ? 'all' : output === 'short' ? 'wrong' : 'sections';
    session.printLines(describeExamined(examined, session.style, extent, isWide));
    return;
  }
  const items = groupFindings(examined).map(describeGroup);
  const made = items.filter(({ status }) => status !== 'skipped').map(({ id }) => ({ name: id }));
  await session.print({ items, ...acted }, made, []);
}
