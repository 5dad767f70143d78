export const providerNames = ['kind', 'k3d'] as const;

/** What makes local clusters. */
export type ProviderName = (typeof providerNames)[number];

/** How a provider calls what a cluster consists of. */
export interface LocalNames {
  /** The entries in the kubeconfig that it gives out. */
  context: string;
  cluster: string;
  user: string;
  /** The container of the first control plane node, which is its name on the container network as well. */
  container: string;
}

/** Sources: kind's pkg/cluster/internal/kubeconfig and pkg/cluster/nodeutils; k3d's pkg/types and pkg/client/kubeconfig.go. */
export function localNames(provider: ProviderName, name: string): LocalNames {
  const prefixed = `${provider}-${name}`;
  return provider === 'kind'
    ? { context: prefixed, cluster: prefixed, user: prefixed, container: `${name}-control-plane` }
    : { context: prefixed, cluster: prefixed, user: `admin@${prefixed}`, container: `${prefixed}-server-0` };
}

/** The network on which a provider puts a cluster if it is told nothing else. */
export function defaultNetwork(provider: ProviderName, name: string): string {
  return provider === 'kind' ? 'kind' : `k3d-${name}`;
}

/** Whose container an address leads to. @returns undefined for a host that is none of theirs */
export function clusterOfContainer(host: string): { provider: ProviderName; name: string } | undefined {
  const k3d = /^k3d-(.+)-server(?:-\d+|lb)$/.exec(host)?.[1];
  if (k3d !== undefined) return { provider: 'k3d', name: k3d };
  const kind = /^(.+?)-(?:control-plane\d*|external-load-balancer)$/.exec(host)?.[1];
  return kind === undefined ? undefined : { provider: 'kind', name: kind };
}
