import { type Changes, withChanges } from '../engine/changes.ts';
import type { StellarError } from '../engine/errors.ts';
import type { Run } from '../engine/run.ts';
import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/resources.ts';
import { type Approval, changeOne, changeValues, type ValueResult, type ValueStore } from './change-values.ts';
import { findWecs, noSuchWec, type WecTarget } from './find-wecs.ts';
import { requireHub } from './hub/require-hub.ts';
import type { ManagedCluster } from './objects.ts';

export interface LabelResult {
  name: string;
  labels: Record<string, string>;
  changed: boolean;
  error?: StellarError;
}

/** The labels of WECs. Unknown names are errors in the results. */
export async function listLabels(hub: Kube, target: WecTarget): Promise<LabelResult[]> {
  await requireHub(hub);
  const found = await findWecs(hub, target);
  return found.map(({ name, cluster }) => ({
    name,
    labels: cluster?.metadata.labels ?? {},
    changed: false,
    ...(cluster === undefined ? { error: noSuchWec(name, hub) } : {}),
  }));
}

/** Changes labels of WECs, all or none of them (see change-values.ts). */
export async function changeLabels(
  hub: Kube,
  target: WecTarget,
  changes: Changes,
  overwrite: boolean,
  approve: Approval<ManagedCluster>,
  run: Run,
): Promise<LabelResult[]> {
  await requireHub(hub);
  const find = async () => (await findWecs(hub, target)).map(({ name, cluster }) => ({ name, source: cluster }));
  const results = await changeValues(hub, labelStore(hub), find, changes, overwrite, approve, run);
  return results.map(({ values, ...result }: ValueResult) => ({ ...result, labels: values }));
}

/** Sets labels of a WEC that has just been announced. @returns whether anything was written */
export async function setLabels(hub: Kube, cluster: ManagedCluster, labels: Record<string, string>): Promise<boolean> {
  const result = await changeOne(hub, labelStore(hub), cluster.metadata.name, cluster, labels, false);
  if (result.error !== undefined) throw result.error;
  return result.changed;
}

function labelStore(hub: Kube): ValueStore<ManagedCluster> {
  return {
    conflict: 'label-conflict',
    command: 'label',
    changed: 'labelled',
    unchanged: 'has these labels already',
    valuesOf: ({ metadata }) => metadata.labels ?? {},
    read: (name) => hub.get<ManagedCluster>(resources.managedClusters, name),
    async write({ metadata }, labels) {
      const { name, resourceVersion } = metadata;
      const patched = await hub.merge<ManagedCluster>(resources.managedClusters, name, {
        metadata: { resourceVersion, labels },
      });
      return hub.dryRun ? withChanges(metadata.labels ?? {}, labels) : (patched.metadata.labels ?? {});
    },
  };
}
