import { isDeepStrictEqual } from 'node:util';
import type { Api } from '../kube/api.ts';
import { Informer } from '../kube/informer.ts';
import type { ConfigMap, KubeObject, ManagedCluster } from '../kube/objects.ts';
import { configMaps, managedClusters } from '../kube/resources.ts';
import { propertyNamespace } from './names.ts';
import { type Properties, propertiesOf } from './templates.ts';

const pauses = { first: 200, last: 1_000 };

/** The properties of the clusters of an ITS, and their dependents. */
export class ClusterProperties {
  readonly synced: Promise<unknown>;
  readonly #clusters: Informer<ManagedCluster>;
  readonly #configMaps: Informer<ConfigMap>;
  readonly #known = new Map<string, Properties>();
  readonly #dependents = new Map<string, ReadonlySet<string>>();
  readonly #onChange: (binding: string) => void;

  /** Calls `onChange` at once for each Binding that depends on changed properties. */
  constructor(its: Api, onChange: (binding: string) => void, signal: AbortSignal) {
    this.#onChange = onChange;
    const look = ({ metadata }: KubeObject) => this.#look(metadata.name);
    this.#clusters = new Informer<ManagedCluster>(its, managedClusters, { onChange: look, pauses }, signal);
    const options = { namespace: propertyNamespace, onChange: look, pauses };
    this.#configMaps = new Informer<ConfigMap>(its, configMaps, options, signal);
    this.synced = Promise.all([this.#clusters.synced, this.#configMaps.synced]);
  }

  of(cluster: string): Properties {
    const properties = this.#known.get(cluster) ?? this.#collect(cluster);
    this.#known.set(cluster, properties);
    return properties;
  }

  /** Records that a Binding depends on the properties of these clusters, and of no others. */
  setDependence(binding: string, clusters: readonly string[]): void {
    this.#dependents.set(binding, new Set(clusters));
  }

  #look(cluster: string): void {
    const before = this.#known.get(cluster);
    const properties = this.#collect(cluster);
    if (!before || isDeepStrictEqual(before, properties)) return;
    this.#known.set(cluster, properties);
    for (const [binding, clusters] of this.#dependents) if (clusters.has(cluster)) this.#onChange(binding);
  }

  #collect(cluster: string): Properties {
    const configMap = this.#configMaps.items.get(`${propertyNamespace}/${cluster}`);
    return propertiesOf(cluster, this.#clusters.items.get(cluster), configMap);
  }
}
