import { StellarError } from '../lib/errors.ts';
import type { Session } from './session.ts';

/** Something that destroys. */
export interface Deed {
  /** As `Deregister`. */
  verb: string;
  /** As `Deregistering`. */
  doing: string;
  /** What has to be typed. */
  name: string;
  /** `--yes` */
  yes: boolean | undefined;
}

/** Asks a person before what destroys. @throws StellarError `usage` where nobody can be asked, `not-confirmed`, `interrupted` */
export async function confirm(session: Session, { verb, doing, name, yes }: Deed): Promise<void> {
  if (yes) return;
  const { canAsk, confirmByName } = await import('../lib/terminal/prompt.ts');
  if (!canAsk(session.io)) {
    throw new StellarError('usage', `${doing} ${name} has to be confirmed, and there is nobody to ask.`, {
      hint: 'In a script: --yes',
    });
  }
  session.progress.stop();
  await confirmByName(session.io, `${verb} ${name}?`, name, session.run.signal);
  session.progress.resume();
}
