import { failureOf, type StellarError } from '../core/errors.ts';
import type { Reader } from './client/client.ts';
import { missing } from './client/missing.ts';

/** Access to a cluster, or to something in it. `why` has no full stop. */
export type Access<T> =
  | { state: 'seen'; value: T }
  /** There is nothing to reach (yet). */
  | { state: 'absent'; why: string }
  | Hidden;

/** It is not visible from here. */
interface Hidden {
  state: 'hidden';
  why: string;
  /** The error of the attempt; undefined if it is not known how to reach it. */
  error: StellarError | undefined;
}

export const seen = <T>(value: T): Access<T> => ({ state: 'seen', value });
export const hidden = (why: string): Access<never> => ({ state: 'hidden', why, error: undefined });

/** @throws errors that are not a failure of a cluster */
export function hiddenBy(error: unknown): Hidden {
  const failure = failureOf(error);
  return { state: 'hidden', why: failure.why, error: failure };
}

/** Reads from a cluster, or reports why nothing is visible there. @throws errors that are not a failure of a cluster */
export async function tryRead<T>(read: () => T | Promise<T>): Promise<Access<T>> {
  try {
    return seen(await read());
  } catch (error) {
    return hiddenBy(error);
  }
}

/** Reads from a cluster that the user may not have selected (`usage`): undefined if so. */
export async function ifSelected<T>(read: () => Promise<T>): Promise<Access<T> | undefined> {
  const access = await tryRead(read);
  return errorOf(access)?.code === 'usage' ? undefined : access;
}

/** Reads through an access, if there is one. */
export async function through<T, U>(
  access: Access<T>,
  read: (value: T) => U | Promise<U>,
): Promise<Access<U>> {
  return access.state === 'seen' ? tryRead(() => read(access.value)) : access;
}

export const ifSeen = <T>(access: Access<T> | undefined): T | undefined =>
  access?.state === 'seen' ? access.value : undefined;

/** @returns undefined if nothing is there, or it is not known how to reach it @throws the error of the attempt */
export function seenOrThrow<T>(access: Access<T>): T | undefined {
  const error = errorOf(access);
  if (error !== undefined) throw error;
  return ifSeen(access);
}

/** The error of the attempt, if there was one and it failed. */
export const errorOf = (access: Access<unknown> | undefined) =>
  access?.state === 'hidden' ? access.error : undefined;

/** Why something is not visible, in the words of its error if there is one; undefined if it is visible. */
export function whyUnseen(access: Access<unknown>): string | undefined {
  if (access.state === 'seen') return undefined;
  return errorOf(access)?.message ?? access.why;
}

/** Reads from a cluster for a user who may not read all of it. */
export interface PartialReader extends Reader {
  /** Plural names of the kinds that this user may not read: objects of them are undefined, and lists missing. */
  readonly forbidden: ReadonlySet<string>;
}

/** Why something is not visible. @param plurals of the kinds @param where such as `in NAMESPACE` */
export const mayNotRead = (plurals: Iterable<string>, where = '') =>
  `this user may not read ${[...plurals].join(' and ')}${where && ` ${where}`}`;

export function partialReader(kube: Reader): PartialReader {
  const forbidden = new Set<string>();
  const unlessForbidden = async <T>(
    { plural }: { plural: string },
    request: Promise<T>,
  ): Promise<T | undefined> => {
    try {
      return await request;
    } catch (error) {
      if (failureOf(error).code !== 'forbidden') throw error;
      forbidden.add(plural);
      return undefined;
    }
  };
  return {
    cluster: kube.cluster,
    now: () => kube.now(),
    forbidden,
    get: (resource, name, options) => unlessForbidden(resource, kube.get(resource, name, options)),
    list: async (resource, selection) =>
      (await unlessForbidden(resource, kube.list(resource, selection))) ?? missing,
  };
}

/** The first candidate that passes a test, else why one could not be tested. */
export async function firstOf<Candidate>(
  candidates: readonly Candidate[],
  passes: (candidate: Candidate) => Promise<boolean>,
): Promise<Access<Candidate | undefined>> {
  const tested = await Promise.all(
    candidates.map((each) => tryRead(async () => ((await passes(each)) ? each : undefined))),
  );
  const passed = tested.find((each) => ifSeen(each) !== undefined);
  return passed ?? tested.find((each) => errorOf(each) !== undefined) ?? seen(undefined);
}
