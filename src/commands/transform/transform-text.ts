import { count, few } from '../../lib/engine/counts.ts';
import type { TransformEffect, TransformView } from '../../lib/workloads/transforms/transforms.ts';
import { section } from '../common/lines.ts';

export function describeTransform({ name, group, resource, besides, errors, warnings }: TransformView): string[] {
  return [
    `CustomTransform ${name} of ${group === '' ? resource : `${resource}.${group}`}`,
    ...section('others', besides.length === 0 ? [] : [`${besides.join(', ')}, of the same kind`]),
    ...section('errors', errors),
    ...section('warnings', warnings),
  ];
}

/** A path with one field names a whole part of an object, such as all data of a ConfigMap. */
export function stateOf({ errors, warnings, remove }: TransformView): string {
  const whole = remove.filter((path) => /^\$(\.\w+|\["[^"]+"\])$/.test(path));
  return [...errors, ...warnings][0] ?? (whole.length === 0 ? 'ok' : `removes all of ${whole.join(', ')}`);
}

/** Formats what a transform removes from the objects that are sent. */
export function describeEffect({ policies, sent, removals }: TransformEffect): string[] {
  if (sent === 0) return ['  No binding policy sends an object of this kind now.'];
  return [
    `  ${count(sent, 'object')} of this kind sent by ${policies.join(', ')}`,
    ...removals.map(
      ({ path, objects }) =>
        `  ${path}   ${objects.length === 0 ? 'no object has it' : `removed from ${few(objects).join(', ')}`}`,
    ),
  ];
}
