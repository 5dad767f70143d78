import { command } from '../../lib/core/command-line.ts';
import { noted, textOf } from '../../lib/core/next-step.ts';
import type { OpenWds } from '../../lib/spaces/open-wds.ts';
import type { TransformResult } from '../../lib/workloads/change-transform.ts';
import type { TransformView } from '../../lib/workloads/transforms.ts';
import { section } from '../common/lines.ts';
import type { Session } from '../common/session.ts';

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

/** KubeStellar does not rewrite works when a transform changes. */
export async function nextRefresh(session: Session, { changed }: TransformResult, wds: OpenWds): Promise<void> {
  if (!changed) return;
  const { flagsOf } = await import('../../lib/spaces/open-wds.ts');
  const refresh = command`stellarctl policy refresh NAME ${flagsOf(wds)}`;
  session.next(textOf(noted(refresh, 'for each policy that sends the kind: existing works do not change until then')));
}
