/** In place of a list: its kind is not found, or may not be read. Neither `??` nor a default makes an empty list of it. */
export const missing: unique symbol = Symbol('missing');
export type Missing = typeof missing;

/** Evidence of a list: undefined if it was not seen, which is not the same as empty. */
export const seenList = <T>(list: T[] | Missing): T[] | undefined =>
  list === missing ? undefined : list;

/** What of a list can be shown, or hinted at. Nothing may be decided by what it lacks: see served.ts. */
export const shownList = <T>(list: T[] | Missing): T[] => seenList(list) ?? [];
