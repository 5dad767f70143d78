import { StellarError } from './errors.ts';
import { advice } from './next-step.ts';
import { count } from './words.ts';

/** WECs that lose something, without a question to a person. */
export interface Removals {
  /** How many lose something. */
  wecs: number;
  /** Of how many. */
  of: number;
  /** `--max-removed` */
  max: number | undefined;
}

/**
 * A slip in a file or a label must not empty all WECs: without a question, more than one or 10 % of them must be allowed by number.
 * @param what happens to so many WECs, such as `would lose objects` @throws StellarError `not-confirmed`
 */
export function refuseManyRemovals({ wecs, of, max }: Removals, what: string): void {
  const limit = max ?? Math.max(1, Math.floor(of / 10));
  if (wecs <= limit) return;
  throw new StellarError('not-confirmed', `${count(wecs, 'WEC')} ${what}, more than ${limit}.`, {
    next: [advice(`If that is intended: --max-removed ${wecs}`)],
  });
}
