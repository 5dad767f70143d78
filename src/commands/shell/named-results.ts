import { isDeepStrictEqual } from 'node:util';
import type { NamedResult } from '../../lib/engine/each-name.ts';
import { StellarError } from '../../lib/engine/errors.ts';

/**
 * The errors of several names. Ctrl-C ends all that is under way at once: it is said once, with their names, for all that there is
 * the same to say of.
 */
export function withOneInterruption(results: readonly NamedResult[]): StellarError[] {
  const failed = results.flatMap(({ name, error }) => (error === undefined ? [] : { names: [name], error }));
  const told: typeof failed = [];
  for (const { names, error } of failed) {
    const same = told.find((other) => isSameInterruption(other.error, error));
    if (same === undefined) told.push({ names, error });
    else same.names.push(...names);
  }
  return told.map(({ names, error }) => (results.length === 1 ? error : namingWhatWasStopped(names, error)));
}

const isSameInterruption = (one: StellarError, other: StellarError): boolean =>
  one.code === 'interrupted' &&
  other.code === 'interrupted' &&
  one.message === other.message &&
  isDeepStrictEqual(one.next, other.next);

function namingWhatWasStopped(names: readonly string[], error: StellarError): StellarError {
  if (error.code !== 'interrupted') return error;
  const { next, details } = error;
  const were = names.length === 1 ? 'was' : 'were';
  return new StellarError('interrupted', `Interrupted while ${names.join(', ')} ${were} under way.`, { next, details });
}
