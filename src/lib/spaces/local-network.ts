import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { partial, run } from '../core/next-step.ts';
import { findProgram, type ProgramRun, programFailed, readJson, runProgram } from '../core/program.ts';
import type { Endpoint } from '../ocm/endpoint.ts';
import {
  clusterOfContainer,
  defaultNetwork,
  localNames,
  type ProviderName,
  providerNames,
} from './local-cluster-names.ts';
import { dockerProgram } from './provider.ts';

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

/** The local port mapped to a cluster's ingress. */
type IngressPort =
  | { state: 'found'; port: number }
  /** The cluster was created without one, and it cannot be added later. */
  | { state: 'none' }
  | { state: 'unknown'; why: string };

/** From docker's API, ContainerInspect, HostConfig.PortBindings. */
type PortBindings = Record<string, { HostPort?: string }[] | null> | null;

/** Reads the port from Docker, also for a stopped cluster. @throws StellarError `interrupted`, `timeout` */
export async function findIngressPort(
  provider: ProviderName,
  name: string,
  programs: ProgramRun,
): Promise<IngressPort> {
  const engine = (provider === 'kind' && programs.env.KIND_EXPERIMENTAL_PROVIDER) || 'docker';
  if (engine !== 'docker') return { state: 'unknown', why: `kind works with ${engine}` };
  const docker = await findProgram(dockerProgram, programs);
  if (docker === undefined) return { state: 'unknown', why: 'docker is not on PATH' };
  const { entrance } = localNames(provider, name);
  const args = ['container', 'inspect', '--format', '{{json .HostConfig.PortBindings}}', entrance];
  const output = await runProgram(programs)(docker, { args, limitMs: 30_000 });
  if (output.exitCode !== 0) return { state: 'unknown', why: programFailed(docker, args, output).why };
  const hostPort = readJson<PortBindings>('docker', output.stdout)?.['443/tcp']?.[0]?.HostPort;
  const port = Number(hostPort);
  return hostPort === undefined || !(port > 0) ? { state: 'none' } : { state: 'found', port };
}

/**
 * Ensures that an existing cluster can be a hosting cluster at the requested port.
 * @param asked undefined if any port is acceptable
 * @returns its port
 * @throws StellarError `cluster-unusable`, with its port
 */
export function requireIngressPort(
  { provider, name }: { provider: ProviderName; name: string },
  found: Exclude<IngressPort, { state: 'unknown' }>,
  asked: number | undefined,
): number {
  if (found.state === 'none')
    throw new StellarError(
      'cluster-unusable',
      `The ${provider} cluster ${name} was not created as a hosting cluster: no port of this machine is forwarded to its port 443, which ITSes and WDSes need.`,
      { next: [partial(command`stellarctl init --provider ${provider} --name NAME`, 'Create another one')] },
    );
  if (asked === undefined || asked === found.port) return found.port;
  throw new StellarError(
    'cluster-unusable',
    `The ${provider} cluster ${name} already exists, with port ${found.port} of this machine forwarded to it, not ${asked}; that cannot be changed.`,
    {
      next: [
        run(
          command`stellarctl init --provider ${provider} --name ${name} --external-port ${String(found.port)}`,
          'Use its port',
        ),
        partial(
          command`stellarctl init --provider ${provider} --name NAME --external-port ${String(asked)}`,
          'Or create another one',
        ),
      ],
    },
  );
}
