import { StellarError } from '../../lib/engine/errors.ts';
import { run } from '../../lib/engine/next-step.ts';
import type { SpaceTools } from '../../lib/spaces/tools.ts';
import type { Session } from './session.ts';

/** What destroys without asking is not to hit a cluster that happens to be the current one. @throws StellarError `usage` */
export function refuseUnnamedHosting(
  session: Session,
  { hostingSource, hostingContext }: SpaceTools,
  { yes, dryRun }: { yes: boolean | undefined; dryRun: boolean | undefined },
): void {
  if (hostingSource !== 'current context') return;
  session.assume('--hosting-context', hostingContext.name);
  if (!yes || dryRun) return;
  throw new StellarError('usage', 'With --yes the hosting cluster is not taken from the current context.', {
    next: [run(session.again(), 'Name it')],
  });
}
