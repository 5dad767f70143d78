import { withChanges } from '../core/changes.ts';
import { concurrentRequests, mapConcurrently } from '../core/concurrency.ts';
import { partialReader } from '../kube/access.ts';
import type { Kube, Reader } from '../kube/client/client.ts';
import { unlessStatus } from '../kube/client/errors.ts';
import { type ConfigMap, resources } from '../kube/client/objects.ts';
import { listServed } from '../kube/served.ts';
import { type EffectiveProperty, effectiveProperties, ignoredKeys, type WecProperties } from '../ocm/customization.ts';
import { type FoundWec, findWecs, type WecTarget } from '../ocm/find-wecs.ts';
import { propertiesNamespace } from '../ocm/kubestellar-api.ts';
import type { ManagedCluster } from '../ocm/ocm-objects.ts';
import type { FoundValues, ValueStore } from './values.ts';

/** The effective properties of a WEC. */
export interface Effective {
  /** KubeStellar's result of all sources. */
  effective: EffectiveProperty[];
  /** Keys of the ConfigMap that it ignores. */
  ignored: string[];
}

/** The ConfigMap with a WEC's properties; undefined if it has none. */
export function getPropertiesOf(hub: Reader, name: string): Promise<ConfigMap | undefined> {
  return hub.get<ConfigMap>(resources.configMaps, name, { namespace: propertiesNamespace });
}

/** For given names their ConfigMaps are read one by one, otherwise all at once. */
async function findProperties(hub: Kube, target: WecTarget): Promise<FoundValues<WecProperties>[]> {
  const found = await findWecs(hub, target);
  const withConfigMap = ({ name, cluster }: FoundWec, configMap: ConfigMap | undefined) => ({
    name,
    source: cluster && { cluster, configMap },
  });
  const read =
    target.names === undefined
      ? []
      : await mapConcurrently(found, concurrentRequests, ({ name }) => getPropertiesOf(hub, name));
  if (target.names !== undefined && !read.includes(undefined))
    return found.map((wec, index) => withConfigMap(wec, read[index]));
  // That there is none is believed only of a list, if this user may list them.
  const listing = listServed<ConfigMap>(hub, resources.configMaps, { namespace: propertiesNamespace });
  const all = target.names === undefined ? await listing : await unlessStatus(listing, 403);
  const byName = new Map(all?.map((configMap) => [configMap.metadata.name, configMap]));
  return found.map((wec, index) => withConfigMap(wec, read[index] ?? byName.get(wec.name)));
}

/** The customization properties in the ConfigMaps of WECs. */
export function propertyStore(hub: Kube): ValueStore<WecProperties, Effective> {
  let namespaceEnsured: Promise<void> | undefined;
  return {
    conflict: 'property-conflict',
    command: ['wec', 'properties'],
    changed: 'properties changed',
    find: (target) => findProperties(hub, target),
    valuesOf: ({ configMap }) => configMap?.data ?? {},
    moreOf: ({ name, source }) => ({
      effective: source === undefined ? [] : effectiveProperties(name, source.cluster, source.configMap),
      ignored: ignoredKeys(source?.configMap),
    }),
    async read(name) {
      const [cluster, configMap] = await Promise.all([
        hub.get<ManagedCluster>(resources.managedClusters, name),
        getPropertiesOf(hub, name),
      ]);
      return cluster && { cluster, configMap };
    },
    async write({ cluster, configMap }, changes) {
      const data = withChanges(configMap?.data ?? {}, changes);
      const { name } = cluster.metadata;
      if (configMap === undefined) {
        namespaceEnsured ??= ensurePropertiesNamespace(hub);
        await namespaceEnsured;
        const metadata = { name, namespace: propertiesNamespace };
        const created = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
        await hub.create(resources.configMaps, created, { namespace: propertiesNamespace });
        return data;
      }
      // The last removal leaves an empty ConfigMap, which is equivalent for KubeStellar: it may belong to another program, with
      // labels and annotations, and deleting it would need a right that a change does not.
      const { resourceVersion } = configMap.metadata;
      const patch = { metadata: { resourceVersion }, data: changes };
      const patched = await hub.merge<ConfigMap>(resources.configMaps, name, patch, { namespace: propertiesNamespace });
      return hub.dryRun ? data : (patched.data ?? {});
    },
  };
}

/**
 * KubeStellar's transport creates it as well. A user who may not read it may still write in it, and gets an error if it is missing.
 */
export async function ensurePropertiesNamespace(hub: Kube): Promise<void> {
  const reader = partialReader(hub);
  const found = await reader.get(resources.namespaces, propertiesNamespace);
  if (found !== undefined || reader.forbidden.size > 0) return;
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: propertiesNamespace } };
  await unlessStatus(hub.create(resources.namespaces, namespace), 409);
}
