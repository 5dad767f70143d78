import { StellarError } from '../lib/errors.ts';
import type { SpaceTools } from '../lib/kubeflex/tools.ts';

/** What destroys without asking is not to hit a cluster that happens to be the current one. @throws StellarError `usage` */
export function refuseUnnamedHosting(
  { hostingSource }: SpaceTools,
  { yes, dryRun }: { yes: boolean | undefined; dryRun: boolean | undefined },
): void {
  if (!yes || dryRun || hostingSource !== 'current context') return;
  throw new StellarError('usage', 'With --yes the hosting cluster is not taken from the current context.', {
    hint: 'Name it: --hosting-context CONTEXT',
  });
}
