import { StellarError } from '../../lib/engine/errors.ts';
import { run } from '../../lib/engine/next-step.ts';
import type { Session } from './session.ts';

/** What destroys without asking is not to hit an ITS that happens to be the current context. @throws StellarError `usage` */
export async function refuseUnnamedIts(
  session: Session,
  { yes, dryRun }: { yes?: boolean | undefined; dryRun?: boolean | undefined },
): Promise<void> {
  if (!yes || dryRun) return;
  const { source, context } = await session.itsChoice();
  if (source !== 'current context') return;
  throw new StellarError('usage', 'With --yes the ITS is not taken from the current context.', {
    next: [run(session.again('--its', context), 'Name it')],
  });
}
