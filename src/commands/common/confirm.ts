import { monotonic } from '../../lib/core/deadline.ts';
import { StellarError } from '../../lib/core/errors.ts';
import { advice, type NextStep, run } from '../../lib/core/next-step.ts';
import {
  type Confirm,
  describeGrouped,
  type Effect,
  type Removals,
  refuseManyRemovals,
} from '../../lib/core/read-confirmed.ts';
import { count } from '../../lib/core/text/words.ts';
import type { RepairEffects } from '../../lib/maintenance/repair-space.ts';
import type { Unseen } from '../../lib/workloads/selection/unseen.ts';
import type { Session } from './session.ts';

/** Why it is unknown what would be lost: what could not be read, why, and what may help; or a clause. */
export type Unknown = (Omit<Unseen, 'error'> & Partial<Pick<Unseen, 'error'>>) | { text: string };

/** A destructive operation. */
export interface Confirmation {
  /** For example `Deregister`. */
  verb: string;
  /** What the user must type if there is only one target. */
  name: string;
  /** Nothing but one WEC is concerned: `y` confirms it as well, unless something could not be read. */
  oneWec?: boolean;
  /** The number of targets. If set, the user must type it instead of the name. */
  number?: number | undefined;
  /** What is lost; shown if no user can be asked. */
  details?: string[];
  /** What is wrong with it: `--yes` covers it only with `--allow-errors`. */
  errors?: readonly string[];
  /** Why it is unknown what would be lost. `--yes` does not cover it, `--max-removed` does. */
  unknown?: readonly Unknown[];
  /** What `--yes` covers only within a limit. */
  removals?: Removals | undefined;
}

const withErrors = 'If it is to be written with them';

/**
 * Asks the user to confirm a destructive operation. @throws StellarError `not-confirmed`, also if no user can be asked;
 * `interrupted`
 */
export async function confirm(session: Session, asked: Confirmation): Promise<void> {
  const { verb, name, oneWec, number, errors = [], unknown = [], removals } = asked;
  const [hidden] = removals?.max === undefined ? unknown : [];
  // People have just seen them.
  const details =
    session.isForPeople && !session.options.quiet ? [] : [...errors, ...(asked.details ?? [])];
  if (session.options.yes && hidden === undefined) {
    if (errors.length > 0 && !session.options.allowErrors)
      throw new StellarError(
        'not-confirmed',
        'The preview shows errors. Nothing was written.',
        run(session.again('--allow-errors'), withErrors),
      ).with({ details });
    if (removals !== undefined) refuseManyRemovals(removals, 'would lose objects');
    return;
  }
  const { canAsk, confirmByTyping } = await import('../terminal/prompt.ts');
  if (!canAsk(session.io)) {
    if (hidden !== undefined) throw lossUnknown(hidden);
    throw new StellarError(
      'not-confirmed',
      `${verb} ${name}? This needs confirmation, and stdin is not a terminal.`,
      errors.length === 0
        ? run(session.again('--yes'))
        : run(session.again('--yes', '--allow-errors'), withErrors),
    ).with({ details });
  }
  session.progress.stop();
  const since = monotonic();
  const isShort = oneWec && hidden === undefined;
  await confirmByTyping(
    session.io,
    `${verb} ${name}?`,
    { name, isShort, number },
    session.run.signal,
  );
  // The time that the user took to confirm does not count.
  session.run.deadline.extend(monotonic() - since);
  session.progress.resume();
}

/**
 * Asks a user. Asks again about losses added since the answer. With `--yes`, rejects them, because no one has confirmed them.
 * @param given.show shows the losses to the user
 * @param given.confirmations what the user must confirm; asks nothing if it is empty
 */
export const confirming =
  <Reading>(
    session: Session,
    {
      show,
      confirmations,
    }: { show(seen: Reading): void; confirmations(seen: Reading): readonly Confirmation[] },
  ): Confirm<Reading> =>
  async (seen, more) => {
    const open = confirmations(seen);
    if (more.length > 0) {
      if (open.length === 0 || session.options.yes) throw hasGrown(more);
      session.progress.note(`Since then, more would be lost: ${describeGrouped(more).join(', ')}`);
    }
    show(seen);
    if (session.run.dryRun) return false;
    for (const confirmation of open) await confirm(session, confirmation);
    return open.length > 0;
  };

/** Not what a script asked for: it said yes to what it knew. */
export function lossUnknown(unknown: Unknown): StellarError {
  const why =
    'text' in unknown ? unknown.text : `${unknown.what} could not be read: ${unknown.why}`;
  const next = 'error' in unknown ? (unknown.error?.next ?? []) : [];
  return lossRefused(`It is unknown what WECs would lose: ${why}`, ...next);
}

/** @param what a sentence without its full stop @param next what helps before */
export const lossRefused = (what: string, ...next: NextStep[]): StellarError =>
  new StellarError(
    'loss-unknown',
    `${what}. Nothing was written.`,
    ...next,
    advice('To change it all the same, say how many WECs may lose their workloads: --max-removed'),
  );

function hasGrown(more: readonly Effect[]) {
  return new StellarError(
    'not-confirmed',
    'More would be lost now than when the command began. Nothing was written.',
    advice('Rerun the command'),
  ).with({ details: describeGrouped(more) });
}

/** Asks about what the repair of a space replaces, and what it leaves on WECs. */
export const confirmRepair = (session: Session, name: string): Confirm<RepairEffects> =>
  confirming(session, {
    show({ remaining, images }) {
      if (images !== undefined)
        session.progress.note(
          `  ${images}: they restart with those. Nothing is sent meanwhile; workloads keep running.`,
        );
      const places = Map.groupBy(remaining, (object) => object.slice(object.indexOf(' on ')));
      for (const [where, { length }] of places)
        session.progress.note(
          `  ${count(length, 'object')}${where}: kept, and no longer updated or removed`,
        );
    },
    confirmations: ({ remaining, images }) =>
      remaining.length === 0 && images === undefined ? [] : [{ verb: 'Repair', name }],
  });
