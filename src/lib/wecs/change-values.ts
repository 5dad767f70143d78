import { type Changes, changeWords, conflicts, effectiveChanges } from '../engine/changes.ts';
import { command } from '../engine/command-line.ts';
import { mapConcurrently, requestsAtOnce } from '../engine/concurrency.ts';
import { type ErrorCode, StellarError } from '../engine/errors.ts';
import type { Run } from '../engine/run.ts';
import type { Kube } from '../kube/client/client.ts';
import { ApiError } from '../kube/client/errors.ts';
import { noSuchWec } from './find-wecs.ts';

/** Named values that WECs have on an ITS, their labels or their properties: where they are, and how they are changed. */
export interface ValueStore<Source> {
  /** The code of the error when a value may not be overwritten. */
  conflict: ErrorCode;
  /** The command that changes them. */
  command: 'label' | 'properties';
  /** What to say when values were changed, and when nothing was to change. */
  changed: string;
  unchanged: string;
  valuesOf(source: Source): Record<string, string>;
  /** Reads them anew. @returns undefined for a WEC that is gone */
  read(name: string): Promise<Source | undefined>;
  /** Writes changes to what was read, or fails with 409 if that has changed since. @returns the values afterwards */
  write(source: Source, changes: Changes): Promise<Record<string, string>>;
}

/** A WEC that a change is about, with what was read of it; undefined for one that the ITS does not know. */
export interface FoundValues<Source> {
  name: string;
  source: Source | undefined;
}

/** Judges what was read, once it has passed all checks. @returns false where it has to be read anew, as after a question */
export type Approval<Source> = (found: readonly FoundValues<Source>[]) => Promise<boolean>;

export interface ValueResult {
  name: string;
  values: Record<string, string>;
  changed: boolean;
  error?: StellarError;
}

/**
 * Changes values of WECs with kubectl's rules. Everything is validated for every WEC before anything is written for any: an unknown
 * name, or a value that is another one and may not be overwritten, stops all; as does an approval that throws.
 */
export async function changeValues<Source>(
  hub: Kube,
  store: ValueStore<Source>,
  find: () => Promise<FoundValues<Source>[]>,
  changes: Changes,
  overwrite: boolean,
  approve: Approval<Source>,
  run: Run,
): Promise<ValueResult[]> {
  const found = await find();
  const checked = found.map(({ name, source }): ValueResult => {
    if (source === undefined) return absent(name, hub);
    const error = overwrite ? undefined : conflictError(hub, store, name, store.valuesOf(source), changes);
    return { name, values: store.valuesOf(source), changed: false, ...(error === undefined ? {} : { error }) };
  });
  if (checked.some(({ error }) => error !== undefined)) return checked;
  if (!(await approve(found))) return changeValues(hub, store, find, changes, overwrite, approve, run);
  return mapConcurrently(found, requestsAtOnce, async ({ name, source }) => {
    const result = await changeOne(hub, store, name, source, changes, overwrite).catch(
      (error: unknown): ValueResult => {
        if (!(error instanceof StellarError)) throw error;
        return { name, values: source === undefined ? {} : store.valuesOf(source), changed: false, error };
      },
    );
    const isDone = result.error === undefined && !hub.dryRun;
    if (isDone) run.progress.done(name, result.changed ? store.changed : store.unchanged);
    return result;
  });
}

/** Writes what is not so already, guarded by the resourceVersion: somebody else's change in between is looked at anew. */
export async function changeOne<Source>(
  hub: Kube,
  store: ValueStore<Source>,
  name: string,
  source: Source | undefined,
  changes: Changes,
  overwrite: boolean,
): Promise<ValueResult> {
  let current = source;
  while (current !== undefined) {
    const values = store.valuesOf(current);
    const error = overwrite ? undefined : conflictError(hub, store, name, values, changes);
    if (error !== undefined) return { name, values, changed: false, error };
    const wanted = effectiveChanges(values, changes);
    if (Object.keys(wanted).length === 0) return { name, values, changed: false };
    try {
      return { name, values: await store.write(current, wanted), changed: !hub.dryRun };
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
      current = await store.read(name);
    }
  }
  return absent(name, hub);
}

function absent(name: string, hub: Kube): ValueResult {
  return { name, values: {}, changed: false, error: noSuchWec(name, hub) };
}

function conflictError<Source>(
  { cluster }: Kube,
  store: ValueStore<Source>,
  name: string,
  values: Record<string, string>,
  changes: Changes,
): StellarError | undefined {
  const other = conflicts(values, changes);
  if (other.length === 0) return undefined;
  return new StellarError(store.conflict, `${name} has ${other.join(', ')} already; nothing was changed.`, {
    hint: `To change it: ${command`stellarctl ${store.command} ${name} ${changeWords(changes)} --overwrite --its ${cluster.context}`}`,
  });
}
