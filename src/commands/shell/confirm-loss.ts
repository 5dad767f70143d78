import { StellarError } from '../../lib/engine/errors.ts';
import { inWords } from '../../lib/engine/next-step.ts';
import { confirm, type Deed } from './confirm.ts';
import type { Session } from './session.ts';

/** Something that destroys, with how to see what would be lost. */
interface Destruction<Seen> {
  /** Reads everything that the user decides about. */
  look: () => Promise<Seen>;
  /** Tells the user. */
  show: (seen: Seen) => void;
  /** What would be lost, each by a name that stays the same from one look to the next. */
  losses: (seen: Seen) => readonly string[];
  /** What has to be confirmed; nothing is asked where there is none. */
  deeds: (seen: Seen) => readonly Deed[];
  dryRun: boolean | undefined;
}

/**
 * Shows what would be lost, asks, and looks again: between the look and the answer more may have come. Then the user is asked again;
 * with `--yes` it is refused, because nobody has agreed to that.
 * @returns what was seen after the user's last word
 * @throws StellarError `not-confirmed`
 */
export async function confirmLoss<Seen>(
  session: Session,
  { look, show, losses, deeds, dryRun }: Destruction<Seen>,
): Promise<Seen> {
  let seen = await look();
  show(seen);
  if (dryRun || deeds(seen).length === 0) return seen;
  for (;;) {
    for (const deed of deeds(seen)) await confirm(session, deed);
    const before = new Set(losses(seen));
    seen = await look();
    const more = losses(seen).filter((loss) => !before.has(loss));
    if (more.length === 0) return seen;
    if (deeds(seen).every(({ yes }) => yes)) throw hasGrown(more);
    session.progress.note(`Since then more has come that would be lost: ${more.join(', ')}`);
    show(seen);
  }
}

function hasGrown(more: readonly string[]): StellarError {
  return new StellarError('not-confirmed', 'More would be lost now than when the command began. Nothing was written.', {
    details: [...more],
    next: [inWords('Run the same command again')],
  });
}
