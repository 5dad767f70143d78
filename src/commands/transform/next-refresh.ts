import { command } from '../../lib/engine/command-line.ts';
import type { OpenWds } from '../../lib/spaces/open-wds.ts';
import type { TransformResult } from '../../lib/workloads/transforms/change-transform.ts';
import type { Session } from '../shell/session.ts';

/** KubeStellar does not rewrite works when a transform changes. */
export async function nextRefresh(
  session: Session,
  { changed, effect: { policies } }: TransformResult,
  wds: OpenWds,
): Promise<void> {
  const [policy] = policies;
  const { flagsOf } = await import('../../lib/spaces/open-wds.ts');
  if (changed && policy !== undefined)
    session.next(
      `${command`stellarctl policy refresh ${policy} ${flagsOf(wds)}`}      (existing works do not change until then${policies.length > 1 ? `; the same for ${policies.slice(1).join(', ')}` : ''})`,
    );
}
