import { command } from '../../lib/core/command-line.ts';
import { noted, textOf } from '../../lib/core/next-step.ts';
import type { OpenWds } from '../../lib/spaces/open-wds.ts';
import type { ObjectResult } from '../../lib/workloads/create-object.ts';
import type { TransformView } from '../../lib/workloads/transforms.ts';
import { section } from '../common/lines.ts';
import type { Session } from '../common/session.ts';

export function describeTransform({ name, group, resource, remove, errors, warnings }: TransformView): string[] {
  return [
    `CustomTransform ${name} of ${group === '' ? resource : `${resource}.${group}`}`,
    ...section('removes', remove),
    ...section('errors', errors),
    ...section('warnings', warnings),
  ];
}

export const stateOf = ({ errors, warnings }: TransformView): string => [...errors, ...warnings][0] ?? 'ok';

/** KubeStellar does not rewrite works when a transform changes. */
export async function nextRefresh(session: Session, { changed }: ObjectResult, wds: OpenWds): Promise<void> {
  if (!changed) return;
  const { flagsOf } = await import('../../lib/spaces/open-wds.ts');
  const refresh = command`stellarctl policy refresh NAME ${flagsOf(wds)}`;
  session.next(textOf(noted(refresh, 'for each policy that sends the kind: existing works do not change until then')));
}
