import { asCalled } from '../../lib/engine/command-line.ts';
import type { Style } from '../../lib/terminal/style.ts';
import type { WayView } from '../../lib/workloads/delivery/view.ts';
import type { WorkloadView } from '../../lib/workloads/delivery/workload.ts';
import { aligned } from '../views/lines.ts';
import { symbolOfWay } from '../views/ways.ts';

/**
 * Formats the delivery of an object as human-readable lines: one line per delivery with its next steps below, or every stage with
 * `-o wide`.
 */
export function describeWorkload(view: WorkloadView, style: Style, isWide: boolean): string[] {
  const { kind, namespace, name, wds, its, ways } = view;
  const head = `${kind} ${namespace === null ? '' : `${namespace}/`}${name} in ${wds}, sent through ${its ?? 'an ITS that is not visible'}`;
  const rows = aligned(ways.map((way) => [way.wec ?? 'no WEC', way.policy ?? 'no policy', wordsOf(way)]));
  return [
    head,
    ...ways.flatMap((way, index) => [
      `  ${symbolOfWay(way, style)} ${rows[index]?.trimEnd()}`,
      ...(isWide ? way.stages.map((stage) => `      ${linkLine(stage, style)}`) : []),
      ...hintLines(way, ways.slice(0, index)),
    ]),
  ];
}

function wordsOf({ done, blockedAt, stages }: WayView): string {
  if (blockedAt !== null) return blockedAt.why;
  if (done) return stages.at(-1)?.title ?? '';
  const unseen = stages.find(({ state }) => state === 'not-visible');
  return `${unseen?.title}: not visible: ${unseen?.why}`;
}

/** Shows a hint that several deliveries share once. The first hint that is a complete command is printed after everything else. */
function hintLines({ hint, next }: WayView, before: readonly WayView[]): string[] {
  const isTold = before.some((other) => other.hint === hint);
  const isLast = next !== null && before.every((other) => other.blockedAt === null);
  return hint === null || isTold || (isLast && hint === next) ? [] : [`      ${asCalled(hint)}`];
}

function linkLine({ state, title, why }: WayView['stages'][number], style: Style): string {
  const symbol = { met: style.ok, failed: style.bad, waiting: style.dot, 'not-visible': '?' }[state];
  return `${symbol} ${title}${why === undefined ? '' : `   ${why}`}`;
}
