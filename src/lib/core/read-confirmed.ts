/**
 * Shows the user what would be lost, and asks for confirmation.
 * @param more what would also be lost since the user agreed
 * @returns whether there was anything to confirm
 * @throws StellarError `not-confirmed`, `interrupted`
 */
export type Confirm<Reading> = (reading: Reading, more: readonly string[]) => Promise<boolean>;

interface Reviewed<Reading> {
  /** Reads everything that the user decides on. */
  read(): Promise<Reading>;
  /** What would be lost, each under a name that stays the same across readings. */
  losses(reading: Reading): readonly string[];
  confirm: Confirm<Reading>;
}

/**
 * Reads, asks, and reads again: more may have appeared before the user answers. In that case it asks again.
 * @returns the reading that the user's last answer covers
 */
export async function readConfirmed<Reading>({
  read,
  losses,
  confirm,
}: Reviewed<Reading>): Promise<Reading> {
  let reading = await read();
  let isAsked = await confirm(reading, []);
  while (isAsked) {
    const before = new Set(losses(reading));
    reading = await read();
    const more = losses(reading).filter((loss) => !before.has(loss));
    isAsked = more.length > 0 && (await confirm(reading, more));
  }
  return reading;
}
