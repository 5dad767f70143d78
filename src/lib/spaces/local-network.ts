import type { Endpoint } from '../ocm/endpoint.ts';
import {
  clusterOfContainer,
  defaultNetwork,
  localNames,
  type ProviderName,
  providerNames,
} from './local-cluster-names.ts';

/** The location of an ITS on a local cluster. */
export interface ItsLocation {
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
export function locationOf(
  its: string,
  endpoints: readonly Endpoint[],
  cluster: string | undefined,
): ItsLocation | undefined {
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
 * @param location undefined if the ITS is unknown, or is not a local cluster
 */
export function chooseNetwork(
  provider: ProviderName,
  given: string | undefined,
  location: ItsLocation | undefined,
): ChosenNetwork {
  if (given !== undefined || location === undefined) return { network: given };
  // All kind clusters are on kind's own network by default.
  if (location.provider === provider) return { network: provider === 'kind' ? undefined : location.network };
  return {
    network: undefined,
    note: `${location.its} is in the container ${location.container} of ${location.provider}, which clusters of ${provider} cannot reach: they are on another container network. Better: --provider ${location.provider}`,
  };
}
