import { command } from '../../lib/core/command-line.ts';
import { noted, textOf } from '../../lib/core/next-step.ts';
import type { OpenWds } from '../../lib/spaces/open-wds.ts';
import type { TransformResult } from '../../lib/workloads/change-transform.ts';
import type { Session } from '../common/session.ts';

/** KubeStellar does not rewrite works when a transform changes. */
export async function nextRefresh(session: Session, { changed }: TransformResult, wds: OpenWds): Promise<void> {
  if (!changed) return;
  const { flagsOf } = await import('../../lib/spaces/open-wds.ts');
  const refresh = command`stellarctl policy refresh NAME ${flagsOf(wds)}`;
  session.next(textOf(noted(refresh, 'for each policy that sends the kind: existing works do not change until then')));
}
