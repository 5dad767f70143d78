import pMap from 'p-map';

/** At most this many objects are read or written at once: an API server's fair share for one user is not much more. */
export const requestsAtOnce = 16;

/** Runs `work` over all items, at most `limit` at once, results in the order of the items. The first error is thrown when all have ended. */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  try {
    return await pMap(items, work, { concurrency: limit, stopOnError: false });
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
}

/** Does one call of `work` after the other, whoever calls: for what there is only one of, as a person to ask. */
export function oneAtATime<Args extends unknown[]>(
  work: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  return (...args) => {
    const next = last.then(() => work(...args));
    last = next.catch(() => {});
    return next;
  };
}
