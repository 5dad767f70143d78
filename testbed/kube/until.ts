import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The limit, in seconds, for anything that happens by itself, including on a machine three times slower than ours: a process takes
 * up to 57 s for the Lease of one that was killed, the operator up to 50 s for its next condition on a hub, a namespace half a
 * minute to be deleted. It affects failures only.
 */
const patience = 240;

/**
 * Polls until a value is found or a condition is true.
 * @param what its name, for the error if it does not happen; by default the condition's source
 * @param seconds how long it polls, if not forever
 */
export async function until<T>(
  look: () => Promise<T>,
  what?: string,
  seconds = patience,
): Promise<Exclude<T, undefined | false>> {
  const deadline = Date.now() + seconds * 1000;
  for (let pause = 30; ; pause = Math.min(pause * 1.3, 250)) {
    const found = await look();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    if (Date.now() > deadline) throw new Error(`not in ${seconds} s: ${what ?? look}`);
    await sleep(pause);
  }
}
