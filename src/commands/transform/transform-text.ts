import type { TransformView } from '../../lib/workloads/transforms.ts';
import { section } from '../common/lines.ts';

export function describeTransform({
  name,
  group,
  resource,
  remove,
  besides,
  errors,
  warnings,
}: TransformView): string[] {
  return [
    `CustomTransform ${name} of ${group === '' ? resource : `${resource}.${group}`}`,
    ...section('removes', remove),
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
