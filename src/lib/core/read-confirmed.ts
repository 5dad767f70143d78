import { StellarError } from './errors.ts';
import { advice } from './next-step.ts';
import { count, few } from './text/words.ts';

/** What a command takes away, overwrites or gives. It is shown, counted by the limit, confirmed, and read again before it is carried out. */
export interface Effect {
  /** In words, such as `ConfigMap shop/settings`. */
  object: string;
  /** The WEC that it is on, or is the WEC of. */
  wec?: string | null | undefined;
  /** An object that is created again is another one. */
  uid?: string | undefined;
}

export const describeEffect = ({ object, wec, uid }: Effect) =>
  [object, wec && `on ${wec}`, uid && `(${uid})`].filter(Boolean).join(' ');

/** In words, the WECs of the same effect together. */
export const describeGrouped = (effects: readonly Effect[]) =>
  [...Map.groupBy(effects, ({ object, uid }) => describeEffect({ object, uid }))].map(
    ([what, of]) =>
      describeEffect({ object: what, wec: few(of.flatMap(({ wec }) => wec ?? [])).join(', ') }),
  );

/** The effects of now that were not there before. */
export function addedTo(before: readonly Effect[], now: readonly Effect[]): Effect[] {
  const known = new Set(before.map(describeEffect));
  return now.filter((effect) => !known.has(describeEffect(effect)));
}

/**
 * Shows the user what would be lost, and asks for confirmation.
 * @param more what would also be lost since the user agreed
 * @returns whether there was anything to confirm
 * @throws StellarError `not-confirmed`, `interrupted`
 */
export type Confirm<Reading> = (reading: Reading, more: readonly Effect[]) => Promise<boolean>;

interface Reviewed<Reading> {
  /** Reads everything that the user decides on. */
  read(): Promise<Reading>;
  effects(reading: Reading): readonly Effect[];
  confirm: Confirm<Reading>;
}

/**
 * Reads, asks, and reads again: more may have appeared before the user answers. In that case it asks again.
 * @returns the reading that the user's last answer covers
 */
export async function readConfirmed<Reading>({
  read,
  effects,
  confirm,
}: Reviewed<Reading>): Promise<Reading> {
  let reading = await read();
  let isAsked = await confirm(reading, []);
  while (isAsked) {
    const before = effects(reading);
    reading = await read();
    const more = addedTo(before, effects(reading));
    isAsked = more.length > 0 && (await confirm(reading, more));
  }
  return reading;
}

/** WECs that lose something, without a question to a person. */
export interface Removals {
  /** How many lose something. */
  wecs: number;
  /** Of how many. */
  of: number;
  /** `--max-removed` */
  max: number | undefined;
}

/** @param max `--max-removed` @param of how many WECs have something to lose (default: those that lose it) */
export function removalsOf(
  effects: readonly Effect[],
  max: number | undefined,
  of?: number,
): Removals {
  const wecs = new Set(effects.flatMap(({ wec }) => wec ?? [])).size;
  return { wecs, of: of ?? wecs, max };
}

/**
 * A slip in a file or a label must not empty all WECs: without a question, more than one or 10 % of them must be allowed by number.
 * @param what happens to so many WECs, such as `would lose objects` @throws StellarError `not-confirmed`
 */
export function refuseManyRemovals({ wecs, of, max }: Removals, what: string): void {
  const limit = max ?? Math.max(1, Math.floor(of / 10));
  if (wecs <= limit) return;
  throw new StellarError(
    'not-confirmed',
    `${count(wecs, 'WEC')} ${what}, more than ${limit}.`,
    advice(`If that is intended: --max-removed ${wecs}`),
  );
}
