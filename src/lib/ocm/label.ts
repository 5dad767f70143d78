import { mapConcurrently } from '../concurrency.ts';
import { StellarError } from '../errors.ts';
import type { Kube } from '../kube/client.ts';
import { ApiError } from '../kube/errors.ts';
import { resources } from '../kube/resources.ts';
import type { Run } from '../run.ts';
import { requireHub } from './hub.ts';
import { effectiveChanges, type LabelChanges, labelConflicts } from './labels.ts';
import type { ManagedCluster } from './objects.ts';

export interface LabelTarget {
  /** WECs by name, or a selector; neither means all. */
  names?: readonly string[] | undefined;
  selector?: string | undefined;
}

export interface LabelResult {
  name: string;
  labels: Record<string, string>;
  changed: boolean;
  error?: StellarError;
}

const writersAtOnce = 16;

/** The labels of WECs. Unknown names are errors in the results. */
export async function listLabels(hub: Kube, target: LabelTarget): Promise<LabelResult[]> {
  await requireHub(hub);
  const found = await findClusters(hub, target);
  return found.map(({ name, cluster }) =>
    cluster === undefined ? { ...absent(name, hub) } : { name, labels: cluster.metadata.labels ?? {}, changed: false },
  );
}

/**
 * Changes labels of WECs with kubectl's rules. Everything is validated for every WEC before anything is written for any: an unknown
 * name, or a label that has another value and may not be overwritten, stops all.
 */
export async function changeLabels(
  hub: Kube,
  target: LabelTarget,
  changes: LabelChanges,
  overwrite: boolean,
  run: Run,
): Promise<LabelResult[]> {
  await requireHub(hub);
  const found = await findClusters(hub, target);
  const checked = found.map(({ name, cluster }): LabelResult => {
    if (cluster === undefined) return absent(name, hub);
    const labels = cluster.metadata.labels ?? {};
    const conflicts = overwrite ? [] : labelConflicts(labels, changes);
    return conflicts.length === 0
      ? { name, labels, changed: false }
      : { name, labels, changed: false, error: conflictError(name, conflicts) };
  });
  if (checked.some(({ error }) => error !== undefined)) return checked;
  return mapConcurrently(found, writersAtOnce, async ({ name, cluster }) => {
    const result = await labelOne(hub, cluster as ManagedCluster, changes, overwrite).catch(
      (error: unknown): LabelResult => {
        if (!(error instanceof StellarError)) throw error;
        return { name, labels: cluster?.metadata.labels ?? {}, changed: false, error };
      },
    );
    const done = hub.dryRun ? 'dry run: nothing was written' : result.changed ? 'labelled' : 'has these labels already';
    if (result.error === undefined) run.progress.done(name, done);
    return result;
  });
}

/** Writes what is not so already, guarded by the resourceVersion: somebody else's change in between is looked at anew. */
async function labelOne(
  hub: Kube,
  cluster: ManagedCluster,
  changes: LabelChanges,
  overwrite: boolean,
): Promise<LabelResult> {
  const { name } = cluster.metadata;
  let current: ManagedCluster | undefined = cluster;
  while (current !== undefined) {
    const labels = current.metadata.labels ?? {};
    const conflicts = overwrite ? [] : labelConflicts(labels, changes);
    if (conflicts.length > 0) return { name, labels, changed: false, error: conflictError(name, conflicts) };
    const wanted = effectiveChanges(labels, changes);
    if (Object.keys(wanted).length === 0) return { name, labels, changed: false };
    try {
      const { resourceVersion } = current.metadata;
      const labelled = withChanges(labels, wanted);
      const patched = await hub.merge<ManagedCluster>(resources.managedClusters, name, {
        metadata: { resourceVersion, labels: wanted },
      });
      return hub.dryRun
        ? { name, labels: labelled, changed: false }
        : { name, labels: patched.metadata.labels ?? {}, changed: true };
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
      current = await hub.get<ManagedCluster>(resources.managedClusters, name);
    }
  }
  return absent(name, hub);
}

function withChanges(labels: Record<string, string>, changes: LabelChanges): Record<string, string> {
  const merged = { ...labels };
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete merged[key];
    else merged[key] = value;
  }
  return merged;
}

/** Sets labels of a WEC that has just been announced. @returns whether anything was written */
export async function setLabels(hub: Kube, cluster: ManagedCluster, labels: Record<string, string>): Promise<boolean> {
  const result = await labelOne(hub, cluster, labels, false);
  if (result.error !== undefined) throw result.error;
  return result.changed;
}

async function findClusters(
  hub: Kube,
  { names, selector }: LabelTarget,
): Promise<{ name: string; cluster: ManagedCluster | undefined }[]> {
  if (names === undefined) {
    const clusters = await hub.list<ManagedCluster>(resources.managedClusters, { labelSelector: selector });
    return (clusters ?? []).map((cluster) => ({ name: cluster.metadata.name, cluster }));
  }
  return mapConcurrently(names, writersAtOnce, async (name) => ({
    name,
    cluster: await hub.get<ManagedCluster>(resources.managedClusters, name),
  }));
}

function conflictError(name: string, conflicts: string[]): StellarError {
  return new StellarError('label-conflict', `${name} has ${conflicts.join(', ')} already; nothing was changed.`, {
    hint: 'To change it: --overwrite',
  });
}

function absent(name: string, { cluster }: Kube): LabelResult {
  const error = new StellarError('not-found', `There is no WEC ${name} on ${cluster.context}.`, {
    hint: `See which there are: stellarctl wec list --its ${cluster.context}`,
  });
  return { name, labels: {}, changed: false, error };
}
