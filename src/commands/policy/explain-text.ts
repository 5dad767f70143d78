import { count, few, others } from '../../lib/core/text/words.ts';
import type { Explanation } from '../../lib/workloads/policy/explain.ts';
import { section, sentThrough, unknown } from '../common/lines.ts';
import { aligned } from '../terminal/output.ts';
import type { Style } from '../terminal/style.ts';

/** More objects than these are listed with `-o wide` only. */
const fewObjects = 20;

/** Formats what a policy selects, and its problems, as human-readable lines. */
export function describeExplanation(view: Explanation, style: Style, isWide: boolean): string[] {
  const { name, wds, its, exists, objects, wecs, notSelected, problems, notVisible } = view;
  const listed = isWide ? objects : objects.slice(0, fewObjects);
  const rows = aligned(
    listed.map((object) => [
      object.kind,
      `${object.namespace === null ? '' : `${object.namespace}/`}${object.name}`,
      asks(object),
    ]),
  );
  const left = notSelected?.length
    ? [`not selected: ${few(notSelected, isWide ? Infinity : 5).join(', ')}`]
    : [];
  return [
    `${name} in ${wds}${exists ? '' : ', not applied yet'}, ${sentThrough(its)}   ${wecs === null ? 'WECs not visible' : count(wecs.length, 'WEC')} · ${count(objects.length, 'object')}`,
    ...section('WECs', [...(wecs ?? []).map((wec) => `${wec.name}${wecWords(wec)}`), ...left]),
    ...section('objects', [
      ...rows,
      ...others(objects.length, listed.length).map((rest) => `${rest}: -o wide shows all`),
    ]),
    ...unknown(notVisible),
    ...problems.flatMap(({ severity, problem, details, steps }) => [
      `${severity === 'error' ? style.bad : style.warn} ${problem}`,
      ...[...(isWide ? details : few(details)), ...steps].map((line) => `    ${line}`),
    ]),
  ].map((line) => line.trimEnd());
}

/** By an error a policy sends nothing, or less than it says: more likely a mistake than intended. */
export const errorsOf = ({ problems }: Explanation) =>
  problems.flatMap(({ severity, problem }) => (severity === 'error' ? problem : []));

function wecWords({ accepted, available, deleting }: NonNullable<Explanation['wecs']>[number]) {
  const words = [
    ...(deleting ? ['being deregistered'] : []),
    ...(accepted ? [] : ['not accepted']),
    ...(available === true ? [] : ['not available']),
  ];
  return words.length === 0 ? '' : `   ${words.join(', ')}`;
}

const asks = (object: Explanation['objects'][number]) =>
  [
    ...(object.createOnly ? ['create only'] : []),
    ...(object.wantSingletonReportedState ? ['status from one WEC'] : []),
    ...(object.wantMultiWECReportedState ? ['status of all WECs'] : []),
    ...(object.statusCollectors ?? []),
  ].join(', ');
