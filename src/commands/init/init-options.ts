import { InvalidArgumentError } from 'commander';
import { StellarError } from '../../lib/core/errors.ts';
import type { InitInput } from '../../lib/spaces/chart.ts';
import type { ValueOptions } from '../../lib/spaces/helm-values.ts';
import { checkClusterName, nodeImage, type ProviderName } from '../../lib/spaces/local-cluster-names.ts';
import type { HostingRequest } from '../../lib/spaces/make-hosting.ts';
import { type CommonOptions, refuseWithout, type WritingOptions } from '../common/options.ts';

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
  ingress?: string;
  image?: string;
  printImages?: boolean;
}

/** @throws StellarError `usage` for options that only a new cluster supports, and for options that exclude each other */
export function toRequest(given: InitOptions): HostingRequest {
  const { provider, name, ingress, image, hostingContext, ...options } = given;
  if (provider !== undefined && name !== undefined) checkClusterName(provider, name);
  if (provider !== undefined && hostingContext !== undefined)
    throw new StellarError('usage', 'Give either --provider or --hosting-context.');
  if (provider === undefined) refuseWithout('--provider', { '--name': name, '--image': image, '--ingress': ingress });
  const withIngress = ingress !== 'none';
  const ingressChart = withIngress && ingress !== 'traefik' ? ingress : undefined;
  const { chart, version, upgrade = false, domain, externalPort, imageRegistry } = options;
  return {
    context: hostingContext,
    create: provider && {
      ...{ provider, name: name ?? defaultName, withIngress, ingressChart },
      image: nodeImage(provider, image),
    },
    init: { chart, version, upgrade, domain, externalPort, imageRegistry, values: options },
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
