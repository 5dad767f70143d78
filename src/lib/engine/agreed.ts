/** Something that destroys, with how to see what would be lost. */
export interface Destruction<Seen> {
  /** Reads everything that the user decides about. */
  look(): Promise<Seen>;
  /** What would be lost, each by a name that stays the same from one look to the next. */
  losses(seen: Seen): readonly string[];
  confirm: Confirm<Seen>;
}

/**
 * Tells the user what would be lost, and asks.
 * @param more what would be lost since the user has said yes
 * @returns whether there was anything to ask
 * @throws StellarError `not-confirmed`, `interrupted`
 */
export type Confirm<Seen> = (seen: Seen, more: readonly string[]) => Promise<boolean>;

/**
 * Looks, asks, and looks again: between the look and the answer more may have come that would be lost. Then the user is asked again.
 * @returns what was seen after the user's last word
 */
export async function agreed<Seen>({ look, losses, confirm }: Destruction<Seen>): Promise<Seen> {
  let seen = await look();
  let isAsked = await confirm(seen, []);
  while (isAsked) {
    const before = new Set(losses(seen));
    seen = await look();
    const more = losses(seen).filter((loss) => !before.has(loss));
    isAsked = more.length > 0 && (await confirm(seen, more));
  }
  return seen;
}
