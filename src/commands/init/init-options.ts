import { InvalidArgumentError } from 'commander';
import { StellarError } from '../../lib/core/errors.ts';
import type { ValueOptions } from '../../lib/spaces/helm-values.ts';
import type { InitInput } from '../../lib/spaces/init-input.ts';
import { checkClusterName, nodeImage, type ProviderName } from '../../lib/spaces/local-cluster-names.ts';
import type { HostingRequest } from '../../lib/spaces/make-hosting.ts';
import type { CommonOptions, WritingOptions } from '../common/options.ts';

/** The name in KubeFlex's and KubeStellar's documentation. */
export const defaultName = 'kubeflex';

export interface InitOptions
  extends CommonOptions,
    WritingOptions,
    Omit<InitInput, 'values' | 'upgrade'>,
    ValueOptions {
  hostingContext?: string;
  upgrade?: boolean;
  provider?: ProviderName;
  name?: string;
  ingress?: Ingress;
  ingressChart?: string;
  image?: string;
  kubernetesVersion?: string;
  printImages?: boolean;
}

/** What serves the spaces of a new local cluster. */
export const ingresses = ['traefik', 'none'] as const;
type Ingress = (typeof ingresses)[number];

/** @throws StellarError `usage` for options that only a new cluster supports, and for options that exclude each other */
export function toRequest(given: InitOptions): HostingRequest {
  const { provider, name, ingress, ingressChart, image, kubernetesVersion, hostingContext, ...options } = given;
  if (provider !== undefined && name !== undefined) checkClusterName(provider, name);
  if (provider !== undefined && hostingContext !== undefined)
    throw new StellarError('usage', 'Give either --provider or --hosting-context.');
  const ofCluster = { '--name': name, '--image': image, '--kubernetes-version': kubernetesVersion };
  const ofNew = { ...ofCluster, '--ingress': ingress, '--ingress-chart': ingressChart };
  for (const [option, value] of Object.entries(ofNew)) {
    if (value !== undefined && provider === undefined)
      throw new StellarError('usage', `${option} requires --provider.`);
  }
  const withIngress = ingress !== 'none';
  if (!withIngress && ingressChart !== undefined)
    throw new StellarError('usage', 'Give either --ingress none or --ingress-chart.');
  const { chart, version, upgrade = false, domain, externalPort, hostContainer, imageRegistry } = options;
  return {
    context: hostingContext,
    create: provider && {
      ...{ provider, name: name ?? defaultName, withIngress, ingressChart },
      image: nodeImage(provider, given),
    },
    init: { chart, version, upgrade, domain, externalPort, hostContainer, imageRegistry, values: options },
  };
}

export function port(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 65535) throw new InvalidArgumentError('Give a port number.');
  return number;
}

/** Validates names of hosts and of containers, which become parts of addresses. */
export function hostName(text: string): string {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(text))
    throw new InvalidArgumentError('Give a name: letters, digits, "-", "_" and ".".');
  return text;
}
