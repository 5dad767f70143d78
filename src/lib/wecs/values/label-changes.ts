import { type Changes, effectiveChanges } from '../../core/changes.ts';
import { type WecChange, wecChange } from '../../forecast/wec-change.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import { readProperties } from './properties.ts';

/** A WEC that gets labels, or is accepted with those that it has. */
export interface LabelledWec {
  name: string;
  /** Undefined if it is not registered yet. */
  cluster: ManagedCluster | undefined;
  labels: Changes;
  /** Whether nothing is sent to it yet: before it is accepted. */
  isNew?: boolean;
}

/** What becomes of WECs by labels, or because they are accepted: policies may select WECs without labels too. Those of which nothing changes are left out. */
export async function labelChanges(hub: Kube, wecs: readonly LabelledWec[]): Promise<WecChange[]> {
  const changing = wecs.filter(
    ({ cluster, labels, isNew }) =>
      isNew || Object.keys(effectiveChanges(cluster?.metadata.labels ?? {}, labels)).length > 0,
  );
  const configMaps = changing.length > 0 ? await readProperties(hub) : new Map();
  return changing.map(({ name, cluster = { metadata: { name } }, labels, isNew }) =>
    wecChange({ cluster, configMap: configMaps.get(name) }, { labels }, isNew),
  );
}
