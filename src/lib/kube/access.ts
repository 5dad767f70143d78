import { failureOf, type StellarError } from '../engine/errors.ts';

/** What is known of a cluster, or of something in it. `why` has no full stop. */
export type Access<T> = Seen<T> | Absent | Hidden;

interface Seen<T> {
  state: 'seen';
  value: T;
}

/** There is nothing to be reached (yet). */
interface Absent {
  state: 'absent';
  why: string;
}

/** It cannot be seen from here. */
interface Hidden {
  state: 'hidden';
  why: string;
  /** What came of trying; undefined where it is not known how to reach it. */
  error: StellarError | undefined;
}

export const seen = <T>(value: T): Access<T> => ({ state: 'seen', value });
export const hidden = (why: string): Access<never> => ({ state: 'hidden', why, error: undefined });

/** @throws what is no failure of a cluster */
export function hiddenBy(error: unknown): Hidden {
  const failure = failureOf(error);
  return { state: 'hidden', why: failure.why, error: failure };
}

/** Reads from a cluster, or says why nothing is seen there. @throws what is no failure of a cluster */
export async function reading<T>(read: () => Promise<T>): Promise<Access<T>> {
  try {
    return seen(await read());
  } catch (error) {
    return hiddenBy(error);
  }
}

/** Reads by what gives access. */
export async function through<T, U>(access: Access<T>, read: (value: T) => Promise<U>): Promise<Access<U>> {
  return access.state === 'seen' ? reading(() => read(access.value)) : access;
}

export const ifSeen = <T>(access: Access<T> | undefined): T | undefined =>
  access?.state === 'seen' ? access.value : undefined;

/** Why something is not seen, in the words of the error where there is one; undefined where it is seen. */
export function whyUnseen(access: Access<unknown>): string | undefined {
  if (access.state === 'seen') return undefined;
  return access.state === 'hidden' && access.error !== undefined ? access.error.message : access.why;
}
