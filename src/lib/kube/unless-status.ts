import { ApiError } from './client/errors.ts';

/** What a server answers; undefined where it refuses with one of these HTTP status codes. */
export async function unlessStatus<T>(answer: Promise<T>, ...statuses: readonly number[]): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && statuses.includes(error.status)) return undefined;
    throw error;
  }
}
