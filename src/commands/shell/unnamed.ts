import { StellarError } from '../../lib/engine/errors.ts';
import { run } from '../../lib/engine/next-step.ts';
import type { OpenWds } from '../../lib/spaces/open-wds.ts';
import type { SpaceTools } from '../../lib/spaces/tools.ts';
import type { Session } from './session.ts';

/** What destroys without asking is not to hit a cluster that happens to be the current one. @throws StellarError `usage` */
export function refuseUnnamedHosting(
  session: Session,
  { hostingSource, hostingContext }: SpaceTools,
  yes: boolean | undefined,
): void {
  if (hostingSource !== 'current context') return;
  session.assume('--hosting-context', hostingContext.name);
  if (yes && !session.run.dryRun) throw unnamed('the hosting cluster', session.again());
}

/** The same of an ITS. @throws StellarError `usage` */
export async function refuseUnnamedIts(session: Session, yes: boolean | undefined): Promise<void> {
  if (!yes || session.run.dryRun) return;
  const { source, context } = await session.itsChoice();
  if (source === 'current context') throw unnamed('the ITS', session.again('--its', context));
}

/** The same of a WDS. @throws StellarError `usage` */
export function refuseUnnamedWds(session: Session, { name, isGiven }: OpenWds, yes: boolean | undefined): void {
  if (isGiven) return;
  session.assume('--wds', name);
  if (yes && !session.run.dryRun) throw unnamed('the WDS', session.again());
}

const unnamed = (what: string, again: string): StellarError =>
  new StellarError('usage', `With --yes ${what} is not taken from the current context.`, {
    next: [run(again, 'Name it')],
  });
