import { StellarError } from '../../core/errors.ts';
import { command, partial } from '../../core/next-step.ts';
import { findProgram, type ProgramRun, readJson, runProgram } from '../../core/program.ts';
import type { Endpoint } from '../../ocm/hub/endpoint.ts';
import {
  clusterOfContainer,
  defaultNetwork,
  localNames,
  type ProviderName,
  providerNames,
} from './local-cluster-names.ts';
import { dockerProgram } from './programs.ts';

/** The location of an ITS on a local cluster. */
export type ItsLocation = NonNullable<ReturnType<typeof locationOf>>;

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
) {
  const containers = endpoints.map(({ server }) => new URL(server).hostname);
  for (const provider of providerNames) {
    if (cluster?.startsWith(`${provider}-`))
      containers.push(localNames(provider, cluster.slice(provider.length + 1)).container);
  }
  for (const container of containers) {
    const found = clusterOfContainer(container);
    if (found !== undefined)
      return {
        its,
        /** The one whose name agents use as its address. */
        container,
        provider: found.provider,
        /** Its container network. */
        network: defaultNetwork(found.provider, found.name),
      };
  }
  return undefined;
}

/**
 * Chooses a network on which a new WEC reaches the ITS: containers resolve each other's names only on a shared network, and kind
 * and k3d use different ones.
 * @param given `--network`
 * @param location undefined if the ITS is unknown, or is not a local cluster
 * @returns the network to pass to the provider, undefined for its default, and a note for the user
 */
export function chooseNetwork(
  provider: ProviderName,
  given: string | undefined,
  location: ItsLocation | undefined,
) {
  if (given !== undefined || location === undefined) return { network: given };
  // All kind clusters are on kind's own network by default.
  if (location.provider === provider)
    return { network: provider === 'kind' ? undefined : location.network };
  return {
    network: undefined,
    note: `${location.its} is in the container ${location.container} of ${location.provider}, which clusters of ${provider} cannot reach: they are on another container network. Better: --provider ${location.provider}`,
  };
}

/** From docker's API, ContainerInspect, HostConfig.PortBindings. */
type PortBindings = Record<string, { HostPort?: string }[] | null> | null;

/**
 * The local port that leads to the ingress of an existing cluster, from Docker, also if the cluster is stopped.
 * @param asked undefined if any port is acceptable
 * @returns undefined if Docker does not show the cluster
 * @throws StellarError `cluster-unusable` if it is not the requested port, or there is none: that cannot be changed
 */
export async function findIngressPort(
  provider: ProviderName,
  name: string,
  asked: number | undefined,
  programs: ProgramRun,
): Promise<number | undefined> {
  const docker = await findProgram(dockerProgram, programs);
  const { entrance } = localNames(provider, name);
  const args = ['container', 'inspect', '--format', '{{json .HostConfig.PortBindings}}', entrance];
  const output = docker && (await runProgram(programs)(docker, { args, limitMs: 30_000 }));
  if (output?.exitCode !== 0) return undefined;
  const port = Number(
    readJson<PortBindings>('docker', output.stdout)?.['443/tcp']?.[0]?.HostPort ?? 0,
  );
  if (port > 0 && port === (asked ?? port)) return port;
  throw new StellarError(
    'cluster-unusable',
    `The ${provider} cluster ${name} already exists, with ${port > 0 ? `port ${port}` : 'no port'} of this machine forwarded to its port 443, which ITSes and WDSes need${asked === undefined ? '' : `, not ${asked}`}.`,
    partial(command`stellarctl init --provider ${provider} --name NAME`, 'Create another one'),
  );
}
