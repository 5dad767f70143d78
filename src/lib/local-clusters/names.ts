import { StellarError } from '../engine/errors.ts';

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
  /** The container that ports of this machine lead to. */
  entrance: string;
}

/** Sources: kind's pkg/cluster/internal/kubeconfig and pkg/cluster/nodeutils; k3d's pkg/types and pkg/client/kubeconfig.go. */
export function localNames(provider: ProviderName, name: string): LocalNames {
  const prefixed = `${provider}-${name}`;
  const node = `${name}-control-plane`;
  return provider === 'kind'
    ? { context: prefixed, cluster: prefixed, user: prefixed, container: node, entrance: node }
    : {
        ...{ context: prefixed, cluster: prefixed, user: `admin@${prefixed}` },
        ...{ container: `${prefixed}-server-0`, entrance: `${prefixed}-serverlb` },
      };
}

/** kind says that longer ones are likely not to work, k3d refuses them (kind's pkg/cluster/internal/create; k3d's pkg/types). */
const longestName = { kind: 50, k3d: 32 } as const;

/** @throws StellarError `usage` for a name that a provider, or Kubernetes, would refuse for a cluster or its node */
export function checkClusterName(provider: ProviderName, name: string): void {
  const longest = longestName[provider];
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= longest) return;
  throw new StellarError(
    'usage',
    `"${name}" cannot be the name of a cluster of ${provider}: lower-case letters, digits and "-", at most ${longest} characters.`,
  );
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
