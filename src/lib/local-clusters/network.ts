import type { Endpoint } from '../wecs/hub/endpoint.ts';
import { clusterOfContainer, defaultNetwork, localNames, type ProviderName, providerNames } from './names.ts';

/** The location of an ITS on a local cluster. */
export interface ItsPlace {
  its: string;
  /** The container whose name agents use as its address. */
  container: string;
  provider: ProviderName;
  /** Its container network. */
  network: string;
}

/**
 * Locates an ITS by its known addresses, else by its provider's cluster name in the kubeconfig: an ITS that is itself a k3d cluster
 * publishes no address.
 * @param cluster the name of its cluster in the kubeconfig
 * @returns undefined if it does not run on a kind or k3d cluster
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
  /** The network to pass to the provider; undefined for its default. */
  network: string | undefined;
  /** A note for the user. */
  note?: string;
}

/**
 * Chooses a network on which a new WEC reaches the ITS: containers resolve each other's names only on a shared network, and kind
 * and k3d use different ones.
 * @param given `--network`
 * @param place undefined if the ITS is unknown, or is not a local cluster
 */
export function chooseNetwork(
  provider: ProviderName,
  given: string | undefined,
  place: ItsPlace | undefined,
): ChosenNetwork {
  if (given !== undefined || place === undefined) return { network: given };
  // All kind clusters are on kind's own network by default.
  if (place.provider === provider) return { network: provider === 'kind' ? undefined : place.network };
  return {
    network: undefined,
    note: `${place.its} is in the container ${place.container} of ${place.provider}, which clusters of ${provider} cannot reach: they are on another container network. Better: --provider ${place.provider}`,
  };
}
