import { StellarError } from '../../core/errors.ts';
import { command, type NextStep, run } from '../../core/next-step.ts';

/** KubeFlex's default for the port of this machine that leads to the ingress. */
export const defaultPort = 9443;

export const providerNames = ['kind', 'k3d'] as const;

/** A program that creates local clusters. */
export type ProviderName = (typeof providerNames)[number];

/** A provider's names for the parts of a cluster. Sources: kind's pkg/cluster/internal/kubeconfig and pkg/cluster/nodeutils; k3d's pkg/types and pkg/client/kubeconfig.go. */
export function localNames(provider: ProviderName, name: string) {
  const prefixed = `${provider}-${name}`;
  const isKind = provider === 'kind';
  const node = `${name}-control-plane`;
  return {
    /** The entries in the provider's kubeconfig. */
    context: prefixed,
    cluster: prefixed,
    user: isKind ? prefixed : `admin@${prefixed}`,
    /** The container of the first control plane node, also its name on the container network. */
    container: isKind ? node : `${prefixed}-server-0`,
    /** The container with the port mappings to this machine. */
    entrance: isKind ? node : `${prefixed}-serverlb`,
  };
}

/** The command that starts a cluster with stopped containers. */
export const startCommand = (provider: ProviderName, name: string) =>
  provider === 'kind'
    ? command`docker start ${localNames('kind', name).container}`
    : command`k3d cluster start ${name}`;

/** The step that starts the local cluster of a context, by the name that its provider gives it; undefined for other contexts. */
export function startStep(context: string, server: string): NextStep | undefined {
  const provider = providerNames.find((each) => context.startsWith(`${each}-`));
  if (provider === undefined || !/^https:\/\/(?:127\.0\.0\.1|0\.0\.0\.0|localhost):/.test(server))
    return undefined;
  return run(startCommand(provider, context.slice(provider.length + 1)), 'If it was stopped');
}

/** kind warns that longer names are likely not to work, k3d refuses them (kind's pkg/cluster/internal/create; k3d's pkg/types). */
const longestLocalName = { kind: 50, k3d: 32 } as const;

/** @throws StellarError `usage` for a name that the provider or Kubernetes refuses for a cluster or its node */
export function checkClusterName(provider: ProviderName, name: string): void {
  const longest = longestLocalName[provider];
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= longest) return;
  throw new StellarError(
    'usage',
    `"${name}" cannot be the name of a cluster of ${provider}: lower-case letters, digits and "-", at most ${longest} characters.`,
  );
}

/** The image of the nodes. @param given the image itself, or the version of Kubernetes, as `1.32.13` */
export function nodeImage(provider: ProviderName, given: string | undefined): string {
  const [, version] = /^v?(\d+\.\d+\.\d+)$/.exec(given ?? '') ?? [];
  if (version === undefined) return given ?? nodeImages[provider];
  return provider === 'kind' ? `kindest/node:v${version}` : `rancher/k3s:v${version}-k3s1`;
}

/** A provider's default network for a cluster. */
export function defaultNetwork(provider: ProviderName, name: string): string {
  return provider === 'kind' ? 'kind' : `k3d-${name}`;
}

/** The cluster whose container has this host name. @returns undefined for a host that is no container of kind or k3d */
export function clusterOfContainer(
  host: string,
): { provider: ProviderName; name: string } | undefined {
  const k3d = /^k3d-(.+)-server(?:-\d+|lb)$/.exec(host)?.[1];
  if (k3d !== undefined) return { provider: 'k3d', name: k3d };
  const kind = /^(.+?)-(?:control-plane\d*|external-load-balancer)$/.exec(host)?.[1];
  return kind === undefined ? undefined : { provider: 'kind', name: kind };
}

/**
 * The images of nodes on which the vcluster of KubeFlex runs. That of kind is of its release 0.26.0, the last one before containerd 2,
 * which older releases of kind cannot load images into; that of k3d is what KubeStellar pins.
 */
const nodeImages = {
  kind: 'kindest/node:v1.31.4@sha256:2cb39f7295fe7eafee0842b1052a599a4fb0f8bcf3f83d96c7f4864c357c6c30',
  k3d: 'rancher/k3s:v1.32.13-k3s1',
} as const;
