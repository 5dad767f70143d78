import { StellarError } from '../errors.ts';

export interface Answer<T> {
  answer: T | undefined;
}

/** @returns undefined where there is no answer: a cluster that is out of reach, or is no hub, or does not let this user look */
export async function quietly<T>(asking: Promise<T | undefined>): Promise<Answer<T> | undefined> {
  try {
    return { answer: await asking };
  } catch (error) {
    if (error instanceof StellarError && error.code !== 'interrupted') return undefined;
    throw error;
  }
}
