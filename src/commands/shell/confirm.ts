import { StellarError } from '../../lib/engine/errors.ts';
import { run } from '../../lib/engine/next-step.ts';
import type { Session } from './session.ts';

/** Something that destroys. */
export interface Deed {
  /** As `Deregister`. */
  verb: string;
  /** As `Deregistering`. */
  doing: string;
  /** What has to be typed, unless it is several. */
  name: string;
  /** How many they are: that has to be typed then. */
  number?: number | undefined;
  /** `--yes` */
  yes: boolean | undefined;
}

/** Asks a person before what destroys. @throws StellarError `not-confirmed`, also where nobody can be asked; `interrupted` */
export async function confirm(session: Session, { verb, doing, name, number, yes }: Deed): Promise<void> {
  if (yes) return;
  const { canAsk, confirmByTyping } = await import('../../lib/terminal/prompt.ts');
  if (!canAsk(session.io)) {
    throw new StellarError('not-confirmed', `${doing} ${name} needs confirmation, and stdin is not a terminal.`, {
      next: [run(session.again('--yes'))],
    });
  }
  session.progress.stop();
  await confirmByTyping(session.io, `${verb} ${name}?`, { name, number }, session.run.signal);
  session.progress.resume();
}
