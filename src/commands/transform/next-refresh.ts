import { command } from '../../lib/engine/command-line.ts';
import type { TransformResult } from '../../lib/workloads/transforms/change-transform.ts';
import type { Session } from '../shell/session.ts';

/** KubeStellar does not write works anew for it. */
export function nextRefresh(session: Session, { changed, effect: { policies }, wds }: TransformResult): void {
  const [policy] = policies;
  if (changed && policy !== undefined)
    session.next(
      `${command`stellarctl policy refresh ${policy} --wds ${wds}`}      (existing works do not change until then${policies.length > 1 ? `; the same for ${policies.slice(1).join(', ')}` : ''})`,
    );
}
