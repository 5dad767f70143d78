import type { Endpoint } from '../wecs/hub/endpoint.ts';
import { clusterOfContainer, defaultNetwork, localNames, type ProviderName, providerNames } from './names.ts';

/** Where an ITS runs, as far as it is a local cluster. */
export interface ItsPlace {
  its: string;
  /** The container by whose name agents reach it. */
  container: string;
  provider: ProviderName;
  /** The container network that it is on. */
  network: string;
}

/**
 * Finds out from the addresses by which an ITS is known, else from what its provider calls the cluster in the kubeconfig: an ITS that
 * is a cluster of k3d itself publishes no address.
 * @param cluster the name of its cluster in the kubeconfig
 * @returns undefined where it is no cluster of kind's or k3d's
 */
export function placeOf(
  its: string,
  endpoints: readonly Endpoint[],
  cluster: string | undefined,
): ItsPlace | undefined {
  const containers = endpoints.map(({ server }) => new URL(server).hostname);
  for (const provider of providerNames) {
    if (cluster?.startsWith(`${provider}-`))
      containers.push(localNames(provider, cluster.slice(provider.length + 1)).container);
  }
  for (const container of containers) {
    const found = clusterOfContainer(container);
    if (found !== undefined)
      return { its, container, provider: found.provider, network: defaultNetwork(found.provider, found.name) };
  }
  return undefined;
}

export interface ChosenNetwork {
  /** What the provider is to be told; undefined leaves it its own. */
  network: string | undefined;
  /** What a person should know about it. */
  note?: string;
}

/**
 * Chooses a network on which a new WEC reaches the ITS: containers know each other by name on one network only, and kind and k3d
 * each have their own.
 * @param given `--network`
 * @param place undefined where the ITS is not known, or is no local cluster
 */
export function chooseNetwork(
  provider: ProviderName,
  given: string | undefined,
  place: ItsPlace | undefined,
): ChosenNetwork {
  if (given !== undefined || place === undefined) return { network: given };
  // On kind's own network all of its clusters are anyway.
  if (place.provider === provider) return { network: provider === 'kind' ? undefined : place.network };
  return {
    network: undefined,
    note: `${place.its} is in the container ${place.container} of ${place.provider}, which clusters of ${provider} cannot reach: they are on another container network. Better: --provider ${place.provider}`,
  };
}
