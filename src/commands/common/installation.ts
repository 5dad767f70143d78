import { run } from '../../lib/core/next-step.ts';
import type { SelectedClusters } from '../../lib/installation/installation.ts';
import { errorOf, ifSeen, ifSelected, tryRead } from '../../lib/kube/access.ts';
import type { Session } from './session.ts';

/**
 * Returns the hosting cluster, the ITS and the WDS that a command line selects. An ITS that the command names must exist; a default
 * one from an earlier choice may be gone.
 * @throws StellarError `usage` if it selects neither
 */
export async function selectClusters(session: Session): Promise<SelectedClusters> {
  const source = (await session.itsIfAny())?.source;
  const isItsGiven = source === '--its';
  const its = await ifSelected(() => session.its());
  const spaces = await tryRead(() => session.spaceTools());
  // Without a choice, commands use a hosting cluster.
  const whyNoIts = source === 'current context' ? undefined : errorOf(its);
  const noHosting = errorOf(spaces);
  if (whyNoIts && (isItsGiven || noHosting)) throw whyNoIts;
  if (noHosting && its === undefined)
    throw noHosting.with({
      next: [...noHosting.next, run('stellarctl doctor --pre', 'Before an installation')],
    });
  if (noHosting && noHosting.code !== 'usage') throw noHosting;
  const wds = () => session.wds();
  return { spaces: ifSeen(spaces), its: ifSeen(its), wds, isItsGiven, whyNoIts };
}
