import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';

/**
 * Runs `work` on all items, at most `limit` at once, and returns the results in the order of the items. Throws the first error
 * after all have ended.
 * @param limit default: an API server's fair share for one user is not much higher
 */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  limit = 16,
): Promise<Result[]> {
  try {
    return await pMap(items, work, { concurrency: limit, stopOnError: false });
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
}

/** @returns a reading that is made once, for all who ask */
export function once<T>(read: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: read() };
    return made.value;
  };
}

/** @returns a reading that serves all who have asked for it before it starts; it starts at most twice a second */
export function sharedReading<T>(read: () => Promise<T>): () => Promise<T> {
  let next: Promise<T> | undefined;
  let rest: Promise<unknown> = Promise.resolve();
  return () => {
    next ??= rest.then(() => {
      next = undefined;
      const reading = read();
      rest = Promise.allSettled([reading, sleep(readingIntervalMs)]);
      return reading;
    });
    return next;
  };
}

const readingIntervalMs = 500;
