import { agreed, type Confirm, type Destruction } from '../../lib/engine/agreed.ts';
import { StellarError } from '../../lib/engine/errors.ts';
import { inWords } from '../../lib/engine/next-step.ts';
import { confirm, type Deed } from './confirm.ts';
import type { Session } from './session.ts';

/** How a user is told of what would be lost, and asked. */
interface Question<Seen> {
  /** Tells the user. */
  show: (seen: Seen) => void;
  /** What has to be confirmed; nothing is asked where there is none. */
  deeds: (seen: Seen) => readonly Deed[];
}

/**
 * Shows what would be lost, asks, and looks again.
 * @returns what was seen after the user's last word
 * @throws StellarError `not-confirmed`
 */
export const confirmLoss = <Seen>(
  session: Session,
  { look, losses, ...question }: Omit<Destruction<Seen>, 'confirm'> & Question<Seen>,
): Promise<Seen> => agreed({ look, losses, confirm: asking(session, question) });

/** Asks a user. What has come since the answer is asked about again; with `--yes` it is refused, because nobody has agreed to that. */
export const asking =
  <Seen>(session: Session, { show, deeds }: Question<Seen>): Confirm<Seen> =>
  async (seen, more) => {
    const open = deeds(seen);
    if (more.length > 0) {
      if (open.every(({ yes }) => yes)) throw hasGrown(more);
      session.progress.note(`Since then, more would be lost: ${more.join(', ')}`);
    }
    show(seen);
    if (session.run.dryRun) return false;
    for (const deed of open) await confirm(session, deed);
    return open.length > 0;
  };

function hasGrown(more: readonly string[]): StellarError {
  return new StellarError('not-confirmed', 'More would be lost now than when the command began. Nothing was written.', {
    details: [...more],
    next: [inWords('Rerun the command')],
  });
}
