import { withChanges } from '../../core/changes.ts';
import { once } from '../../core/concurrency.ts';
import { ifSeen, tryRead } from '../../kube/access.ts';
import type { Kube, Reader } from '../../kube/client/client.ts';
import { foreseen } from '../../kube/client/foreseen.ts';
import { type ConfigMap, resources } from '../../kube/client/objects.ts';
import { ensureNamespace } from '../../kube/writes.ts';
import { findWecs, listProperties } from '../../ocm/hub/find-wecs.ts';
import {
  effectiveProperties,
  ignoredKeys,
  type WecProperties,
} from '../../ocm/model/customization.ts';
import { inProperties, propertiesNamespace } from '../../ocm/model/kubestellar-names.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import type { ValueStore } from './values.ts';

/** The ConfigMap with a WEC's properties; undefined if it has none. */
export function getPropertiesOf(hub: Reader, name: string): Promise<ConfigMap | undefined> {
  return hub.get<ConfigMap>(resources.propertyConfigMaps, name, inProperties);
}

/** Like listProperties, without those that this user may not read: their properties may seem lost. */
export const readProperties = async (hub: Kube): Promise<Map<string, ConfigMap>> =>
  ifSeen(await tryRead(() => listProperties(hub))) ?? new Map();

/** The customization properties in the ConfigMaps of WECs. */
export function propertyStore(hub: Kube): ValueStore<WecProperties> {
  const ensureOwn = once(() => ensureNamespace(hub, propertiesNamespace));
  return {
    hub,
    conflict: 'property-conflict',
    command: ['wec', 'properties'],
    changed: 'properties changed',
    async find(target) {
      const found = await findWecs(hub, target);
      const named = await listProperties(hub);
      return found.map(({ name, cluster }) => ({
        name,
        source: cluster && { cluster, configMap: named.get(name) },
      }));
    },
    valuesOf: ({ configMap }) => configMap?.data ?? {},
    moreOf: ({ name, source }) => ({
      effective:
        source === undefined ? [] : effectiveProperties(name, source.cluster, source.configMap),
      ignored: ignoredKeys(source?.configMap),
    }),
    async read(name) {
      const [cluster, configMap] = await Promise.all([
        hub.get<ManagedCluster>(resources.managedClusters, name),
        getPropertiesOf(hub, name),
      ]);
      return cluster && { cluster, configMap };
    },
    async write({ cluster, configMap }, changes, effects) {
      const kube = foreseen(hub, effects);
      const kind = resources.propertyConfigMaps;
      const data = withChanges(configMap?.data ?? {}, changes);
      const { name } = cluster.metadata;
      if (configMap === undefined) {
        await ensureOwn();
        const metadata = { name, ...inProperties };
        const created = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
        const stored = await kube.create<ConfigMap>(kind, created, inProperties);
        return stored.data ?? data;
      }
      // The last removal leaves an empty ConfigMap, which is equivalent for KubeStellar: it may belong to another program, with
      // labels and annotations, and deleting it would need a right that a change does not.
      const { resourceVersion } = configMap.metadata;
      const patch = { metadata: { resourceVersion }, data: changes };
      const patched = await kube.merge<ConfigMap>(kind, name, patch, inProperties);
      return hub.dryRun ? data : (patched.data ?? {});
    },
  };
}
