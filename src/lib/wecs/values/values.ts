import {
  type Changes,
  changeWords,
  conflicts,
  effectiveChanges,
  withChanges,
} from '../../core/changes.ts';
import { mapConcurrently } from '../../core/concurrency.ts';
import { type ChangeResult, forName } from '../../core/each-name.ts';
import { type ErrorCode, StellarError } from '../../core/errors.ts';
import { command, run } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { by } from '../../core/text/words.ts';
import type { Kube } from '../../kube/client/client.ts';
import { type Foreseen, foreseen } from '../../kube/client/foreseen.ts';
import { resources } from '../../kube/client/objects.ts';
import { may, requirePermissions } from '../../kube/permissions.ts';
import { notStored, retryConflicts } from '../../kube/writes.ts';
import { findWecs, noSuchWec, type WecTarget } from '../../ocm/hub/find-wecs.ts';
import { requireHub } from '../../ocm/hub/require-hub.ts';
import type { EffectiveProperty } from '../../ocm/model/customization.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';

/** The effective properties of a WEC. */
export interface Effective {
  /** KubeStellar's result of all sources. */
  effective: EffectiveProperty[];
  /** Keys of the ConfigMap that it ignores. */
  ignored: string[];
}

/** Named values that WECs have on an ITS, their labels or their properties: how they are read and changed. */
export interface ValueStore<Source> {
  hub: Kube;
  /** The code of the error when a value may not be overwritten. */
  conflict: ErrorCode;
  /** The command that changes them, as the user types it. */
  command: readonly string[];
  /** The message when values were changed. */
  changed: string;
  find(target: WecTarget): Promise<FoundValues<Source>[]>;
  valuesOf(source: Source): Record<string, string>;
  /** What a listing shows of a WEC besides them. */
  moreOf(found: FoundValues<Source>): Partial<Effective>;
  /** Reads them again. @returns undefined for a WEC that is gone */
  read(name: string): Promise<Source | undefined>;
  /** Writes changes to what was read; fails with 409 if that has changed since. @returns the values afterwards */
  write(source: Source, changes: Changes, effects: Foreseen): Promise<Record<string, string>>;
}

/** A WEC to change, with what was read of it; undefined for one that the ITS does not know. */
export interface FoundValues<Source> {
  name: string;
  source: Source | undefined;
}

/**
 * Judges what was read, once it has passed all checks.
 * @returns what the changes do to workloads, as it is agreed to; undefined if all must be read again, as after a question
 */
export type Approval<Source> = (
  found: readonly FoundValues<Source>[],
) => Promise<Foreseen | undefined>;

export interface ValueResult extends ChangeResult {
  values: Record<string, string>;
}

export interface ListedValues extends ValueResult {
  more: Partial<Effective>;
}

/** The values of WECs. Unknown names are errors in the results. @throws StellarError `not-a-hub` */
export async function listValues<Source>(
  store: ValueStore<Source>,
  target: WecTarget,
): Promise<ListedValues[]> {
  await requireHub(store.hub);
  const found = await store.find(target);
  return mapConcurrently(found, async (one) => ({
    ...(await unchanged(store, one)),
    more: store.moreOf(one),
  }));
}

/**
 * Changes values of WECs with kubectl's rules. It validates everything for every WEC before it writes anything for any: an unknown
 * name, or a different value that may not be overwritten, stops all, and so does an approval that throws.
 * @throws StellarError `not-a-hub`
 */
export async function changeValues<Source>(
  store: ValueStore<Source>,
  target: WecTarget,
  {
    changes,
    overwrite,
    approve,
    rehearsal,
  }: {
    changes(name: string): Changes;
    overwrite: boolean;
    approve: Approval<Source>;
    /** Writes what has been approved. */
    rehearsal?:
      | { carryOut(write: () => Promise<ValueResult[]>): Promise<ValueResult[]> }
      | undefined;
  },
  run: Run,
): Promise<ValueResult[]> {
  await requireHub(store.hub);
  let found: FoundValues<Source>[];
  let effects: Foreseen | undefined;
  do {
    found = await store.find(target);
    const checked = await mapConcurrently(found, (one) =>
      checkedValues(store, one, changes(one.name), overwrite),
    );
    if (checked.some(({ error }) => error !== undefined)) return checked;
    effects = await approve(found);
  } while (effects === undefined);
  const agreed = effects;
  const write = (one: FoundValues<Source>, result: ValueResult) => async () => {
    Object.assign(result, await changeOne(store, one, changes(one.name), overwrite, agreed));
    if (result.error === undefined)
      run.progress.done(one.name, result.changed ? store.changed : 'nothing to do');
  };
  const writeAll = () =>
    mapConcurrently(found, async (one) => {
      const result = await unchanged(store, one);
      return forName(result, run, write(one, result));
    });
  return rehearsal === undefined ? writeAll() : rehearsal.carryOut(writeAll);
}

/** Writes what differs, guarded by the resourceVersion: if another program changes it in between, it is read again. */
export async function changeOne<Source>(
  store: ValueStore<Source>,
  { name, source }: FoundValues<Source>,
  changes: Changes,
  overwrite: boolean,
  effects: Foreseen,
): Promise<ValueResult> {
  const { hub } = store;
  return retryConflicts(hub, async (isFirst) => {
    const current = isFirst ? source : await store.read(name);
    const result = await checkedValues(store, { name, source: current }, changes, overwrite);
    if (result.error !== undefined) return result;
    const wanted = effectiveChanges(result.values, changes);
    if (current === undefined || Object.keys(wanted).length === 0) return result;
    const values = await store.write(current, wanted, effects);
    const lost = changeWords(effectiveChanges(values, wanted));
    if (lost.length > 0) throw notStored(hub, `${lost.join(', ')} for ${name}`);
    return { name, values, changed: true };
  });
}

async function unchanged<Source>(
  { hub, valuesOf }: ValueStore<Source>,
  { name, source }: FoundValues<Source>,
): Promise<ValueResult> {
  if (source === undefined)
    return { name, values: {}, changed: false, error: await noSuchWec(name, hub) };
  return { name, values: valuesOf(source), changed: false };
}

/** The present values, with an error if a different one may not be overwritten. */
async function checkedValues<Source>(
  store: ValueStore<Source>,
  found: FoundValues<Source>,
  changes: Changes,
  overwrite: boolean,
): Promise<ValueResult> {
  const result = await unchanged(store, found);
  const { name, values } = result;
  const other = overwrite ? [] : conflicts(values, changes);
  if (result.error !== undefined || other.length === 0) return result;
  const message = `${name} has ${other.join(', ')} already; nothing was changed.`;
  const change = command`stellarctl ${store.command} ${name} ${changeWords(changes)} --overwrite --its ${store.hub.cluster.context}`;
  const error = new StellarError(store.conflict, message, run(change, 'To change it'));
  return { ...result, error };
}

/** Before a question whose answer would be of no use. @throws StellarError `forbidden` */
export const requireToLabel = (hub: Kube) =>
  requirePermissions(hub, [may('patch', resources.managedClusters)]);

/** The labels of ManagedClusters. */
export function labelStore(hub: Kube): ValueStore<ManagedCluster> {
  return {
    hub,
    conflict: 'label-conflict',
    command: ['label'],
    changed: 'labelled',
    find: async (target) =>
      (await findWecs(hub, target)).map(({ name, cluster }) => ({ name, source: cluster })),
    valuesOf: ({ metadata }) => metadata.labels ?? {},
    moreOf: () => ({}),
    read: (name) => hub.get<ManagedCluster>(resources.managedClusters, name),
    async write({ metadata }, labels, effects) {
      const { name, resourceVersion } = metadata;
      const patch = { metadata: { resourceVersion, labels } };
      const kube = foreseen(hub, effects);
      const patched = await kube.merge<ManagedCluster>(resources.managedClusters, name, patch);
      return hub.dryRun
        ? withChanges(metadata.labels ?? {}, labels)
        : (patched.metadata.labels ?? {});
    },
  };
}

const clusterSetLabel = 'cluster.open-cluster-management.io/clusterset';

/** What users have written, without what OCM, kubectl and stellarctl write themselves. */
export const labelsOf = ({ metadata }: ManagedCluster) => ({
  labels: pickKept(metadata.labels, (key, value) =>
    key === clusterSetLabel ? value !== 'default' : !isMachine(key),
  ),
  annotations: pickKept(metadata.annotations, (key) => !isMachine(key)),
});

/** Whether a program writes the key: OCM, kubectl or stellarctl, by its prefix. */
const isMachine = (key: string) =>
  /^([^/]*\.)?open-cluster-management\.io\/|^(kubectl|stellarctl)\.[^/]*\//.test(key);

/** Some of these labels or annotations, by key. */
export const pickKept = (
  all: Record<string, string> | undefined,
  isKept: (key: string, value: string) => boolean,
) =>
  Object.fromEntries(
    Object.entries(all ?? {})
      .filter(([key, value]) => isKept(key, value))
      .sort(by(([key]) => key)),
  );
