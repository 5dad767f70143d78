import { InvalidArgumentError, Option } from 'commander';
import { coreChart } from '../../lib/spaces/hosting/core-chart.ts';
import type { InitInput } from '../../lib/spaces/install/chart.ts';
import type { ValueOptions } from '../../lib/spaces/install/helm-values.ts';
import type { HostingRequest } from '../../lib/spaces/install/make-hosting.ts';
import {
  checkClusterName,
  nodeImage,
  type ProviderName,
  providerNames,
} from '../../lib/spaces/local/local-cluster-names.ts';
import type { Definition } from '../common/define.ts';
import {
  dryRunOption,
  imageRegistryOption,
  nodeImageOption,
  refuseWithout,
  repeatable,
} from '../common/options.ts';
import type { Session } from '../common/session.ts';

/** The name in KubeFlex's and KubeStellar's documentation. */
const defaultName = 'kubeflex';

export const definition: Definition<InitOptions> = {
  description:
    "Installs KubeFlex and KubeStellar's post-create hooks on a cluster, with your helm and KubeStellar's core chart, so that ITSes and WDSes can be created there. It can be rerun: it resumes what was interrupted, and changes nothing that is done. A newer chart is installed only with --upgrade. An existing KubeFlex is kept. Control planes are never deleted.",
  timeout: '15m',
  examples: [
    ['stellarctl init --hosting-context kind-kubeflex', 'install it on that cluster'],
    ['stellarctl init --provider kind', 'create a local cluster and install it there'],
    ['stellarctl init --chart ./core-chart-0.30.0.tgz', 'the same without access to ghcr.io'],
    ['stellarctl init --upgrade', 'upgrade KubeStellar, keeping all control planes'],
  ],
  rare: [
    '--set-json',
    '--domain',
    '--external-port',
    '--name',
    '--image',
    '--ingress',
    '--image-registry',
    '--print-images',
  ],
  options: [
    ['--hosting-context <context>', 'the context of the cluster (default: the current one)'],
    [
      '--version <version>',
      `the version of KubeStellar, 0.29.0 or newer (default: what is installed, else ${coreChart.version})`,
    ],
    ['--chart <chart>', 'a chart directory, archive or mirror reference, instead of ghcr.io'],
    repeatable('-f, --values <file>', 'a values file for the chart, as for helm'),
    repeatable('--set <key=value>', 'a value for the chart, as for helm'),
    repeatable('--set-json <key=json>', 'the same, in JSON'),
    new Option(
      '--domain <domain>',
      "the domain of control planes (the chart's default: localtest.me)",
    ).argParser(hostName),
    new Option(
      '--external-port <port>',
      "the port of control planes (the chart's default: 9443)",
    ).argParser(port),
    ['--upgrade', 'upgrade an older version'],
    new Option('--provider <name>', 'create a local cluster with this tool first, with its ingress')
      .choices(providerNames)
      .conflicts('hostingContext'),
    ['--name <name>', `with --provider: the name of that cluster (default: ${defaultName})`],
    nodeImageOption(),
    [
      '--ingress <ingress>',
      'with --provider: what serves its spaces: traefik, its chart as a file, or none (default: traefik)',
    ],
    imageRegistryOption(
      'the registry of all images and charts that clusters pull, with the same paths (installation.md)',
    ),
    ['--print-images', 'list those images and charts, and do nothing else'],
    dryRunOption(),
  ],
  async run(session, options) {
    const request = toRequest(options);
    if (options.printImages) return printImages(session, request);
    const { makeHosting } = await import('../../lib/spaces/install/make-hosting.ts');
    const result = await makeHosting(request, session.localTools());
    await session.finish([result]);
    session.next(result.itses?.length === 0 ? 'stellarctl its create its1' : 'stellarctl status');
  },
};

async function printImages(session: Session, { create, init }: HostingRequest) {
  const { printedImages } = await import('../../lib/spaces/install/make-hosting.ts');
  const items = await printedImages(init, create?.withIngress === true, session.localTools());
  const rows = items.map((item) => ({ ...item, name: item.reference }));
  await session.show({ items }, () => rows.map(({ name }) => name), rows);
}

interface InitOptions extends Omit<InitInput, 'values' | 'upgrade'>, ValueOptions {
  hostingContext?: string;
  upgrade?: boolean;
  provider?: ProviderName;
  name?: string;
  ingress?: string;
  image?: string;
  printImages?: boolean;
}

/** @throws StellarError `usage` for options that only a new cluster supports */
function toRequest(given: InitOptions): HostingRequest {
  const { provider, name, ingress, image, hostingContext, upgrade = false, ...options } = given;
  if (provider !== undefined && name !== undefined) checkClusterName(provider, name);
  if (provider === undefined)
    refuseWithout('--provider', { '--name': name, '--image': image, '--ingress': ingress });
  const withIngress = ingress !== 'none';
  const ingressChart = withIngress && ingress !== 'traefik' ? ingress : undefined;
  return {
    context: hostingContext,
    create: provider && {
      provider,
      name: name ?? defaultName,
      withIngress,
      ingressChart,
      image: nodeImage(provider, image),
    },
    init: { ...options, upgrade, values: options },
  };
}

export function port(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 65535)
    throw new InvalidArgumentError('Give a port number.');
  return number;
}

/** Validates names of hosts and of containers, which become parts of addresses. */
function hostName(text: string) {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(text))
    throw new InvalidArgumentError('Give a name: letters, digits, "-", "_" and ".".');
  return text;
}
