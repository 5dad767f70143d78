import { StellarError } from '../../lib/errors.ts';
import type { Session } from '../session.ts';

/** Asks a person to type the name of what is to be destroyed. @throws StellarError `usage` where nobody can be asked */
export async function confirmDeletion(session: Session, name: string, verb: string, yes: boolean): Promise<void> {
  if (yes) return;
  const { canAsk, confirmByName } = await import('../../lib/terminal/prompt.ts');
  if (!canAsk(session.io)) {
    throw new StellarError('usage', `${verb} ${name} has to be confirmed, and there is nobody to ask.`, {
      hint: 'In a script: --yes',
    });
  }
  session.progress.stop();
  await confirmByName(session.io, `${verb} ${name}?`, name, session.run.signal);
  session.progress.resume();
}
