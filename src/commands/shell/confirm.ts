import { agreed, type Confirm, type Destruction } from '../../lib/engine/agreed.ts';
import { StellarError } from '../../lib/engine/errors.ts';
import { inWords, run } from '../../lib/engine/next-step.ts';
import type { OpenWds } from '../../lib/spaces/open-wds.ts';
import type { SpaceTools } from '../../lib/spaces/tools.ts';
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
  const { source, given } = await session.itsChoice();
  if (source === 'current context') throw unnamed('the ITS', session.again('--its', given));
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
