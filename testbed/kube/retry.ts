import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from './errors.ts';

const pause = 500;

/** Repeats a request until the API server gives a definite response: through restarts, but not through rejections. */
export async function untilAnswered<T>(
  request: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      const definite = error instanceof ApiError && error.status < 500;
      if (definite || signal?.aborted) throw error;
      await sleep(pause);
    }
  }
}
