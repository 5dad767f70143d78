import { asCalled } from '../../lib/engine/command-line.ts';
import { count } from '../../lib/engine/counts.ts';
import type { Style } from '../../lib/terminal/style.ts';
import type { PolicyView } from '../../lib/workloads/delivery/policy-view.ts';
import type { WayView } from '../../lib/workloads/delivery/view.ts';
import { aligned, section } from '../views/lines.ts';
import { symbolOfWay } from '../views/ways.ts';

/** Up to this number, each WEC has a column; more WECs are counted. */
const fewWecs = 6;

/** Formats the objects of a policy by WEC as human-readable lines, with their problems below. */
export function describePolicyView(view: PolicyView, style: Style): string[] {
  const { name, wds, its, wecs, objects, notVisible } = view;
  const isMatrix = wecs.length > 0 && wecs.length <= fewWecs;
  const cells = objects.map((object) => [
    `${object.kind} ${object.namespace === null ? '' : `${object.namespace}/`}${object.name}`,
    ...(isMatrix ? wecs.map((wec) => cellOf(object.ways.find((way) => way.wec === wec))) : [countsOf(object.ways)]),
  ]);
  const rows = aligned([...(isMatrix ? [['', ...wecs]] : []), ...cells]);
  const symbols = objects.map(({ ways }) => symbolOfWay(worstOf(ways), style));
  return [
    `${name} in ${wds}, sent through ${its ?? 'an ITS that is not visible'}   ${count(wecs.length, 'WEC')} · ${count(objects.length, 'object')}`,
    ...rows.map((row, index) => `  ${isMatrix ? (symbols[index - 1] ?? ' ') : symbols[index]} ${row}`.trimEnd()),
    ...section(
      'unknown',
      notVisible.map(({ what, why }) => `${what}: ${why}`),
    ),
    ...troubles(objects, style),
  ];
}

/** Returns the current stage of a delivery. */
function cellOf(way: WayView | undefined): string {
  if (way === undefined) return '';
  if (way.blockedAt !== null) return `${way.blockedAt.state === 'failed' ? 'not ' : ''}${way.blockedAt.stage}`;
  return way.stage ?? 'not visible';
}

function countsOf(ways: readonly WayView[]): string {
  const failed = ways.filter(({ blockedAt }) => blockedAt?.state === 'failed').length;
  return `${ways.filter(({ done }) => done).length}/${ways.length}${failed === 0 ? '' : `, ${failed} failed`}`;
}

const rank = ({ blockedAt, done }: Pick<WayView, 'blockedAt' | 'done'>): number =>
  blockedAt?.state === 'failed' ? 0 : blockedAt !== null ? 1 : done ? 3 : 2;

const worstOf = (ways: readonly WayView[]): Pick<WayView, 'blockedAt' | 'done'> =>
  [...ways].sort((a, b) => rank(a) - rank(b))[0] ?? { blockedAt: null, done: false };

/** Shows a problem that several objects and WECs share once, with its count. */
function troubles(objects: PolicyView['objects'], style: Style): string[] {
  const all = objects.flatMap(({ ways }) => ways.filter(({ blockedAt }) => blockedAt !== null));
  const groups = Map.groupBy(all, ({ blockedAt, hint }) => JSON.stringify([blockedAt?.why, hint]));
  return [...groups.values()].flatMap((ways) => {
    const [first] = ways as [WayView, ...WayView[]];
    const on = [...new Set(ways.flatMap(({ wec }) => wec ?? []))];
    const where = on.length === 0 ? '' : ` (${on.length > fewWecs ? count(on.length, 'WEC') : on.join(', ')})`;
    return [
      `${symbolOfWay(first, style)} ${first.blockedAt?.why}${where}`,
      ...(first.hint === null ? [] : [`    ${asCalled(first.hint)}`]),
    ];
  });
}
