import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { ownLimits } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { clusterAt, connect } from '../../kube/client/client.ts';
import { ApiError } from '../../kube/client/errors.ts';
import { hostOf, isLocalName } from '../../kube/client/proxy.ts';
import type { ClusterEntry } from '../../kube/kubeconfig/kubeconfig.ts';

/** One connection to a hub's API server. */
export interface Endpoint {
  server: string;
  /** PEM; undefined if the system's own authorities have signed the server's certificate. */
  certificateAuthority: string | undefined;
  /** True if only the hub's own kube-public/cluster-info says so. */
  published?: boolean;
}

/** A connection as agents use it. */
export interface HubConnection extends Endpoint {
  proxyUrl: string | undefined;
}

type EndpointSource = '--hub-apiserver' | 'kubeconfig' | 'kube-public/cluster-info';

/** The address that agents will use. */
export interface ChosenEndpoint extends Endpoint {
  source: EndpointSource;
}

export interface EndpointInput {
  /** The ITS's name in messages: its context. */
  its: string;
  /** The WEC's name in messages. */
  wec: string;
  /** What uses the address, in messages, if that is not an agent in the WEC. */
  user?: string;
  /** The connection from this machine (the context's server), or the external one of a join file. */
  external: Endpoint;
  /** What the ITS publishes in kube-public/cluster-info, as far as this user may read it. */
  internal?: Endpoint | undefined;
  /** `--hub-apiserver`: an https URL, `context` or `published`; undefined for the default rule. */
  hubApiserver?: string | undefined;
  /** `--ca-file`, PEM: instead of any other authority. */
  certificateAuthority?: string | undefined;
}

/**
 * Chooses the address of an ITS for the agents of a WEC: the user's choice, else the ITS's own address if other machines can use
 * it, else the one that the ITS publishes for other clusters.
 * @param resolve resolves a host name; for tests
 * @throws StellarError `endpoint-unusable`, with the option to pass
 */
export async function chooseEndpoint(
  input: EndpointInput,
  resolve: Resolve = systemResolve,
): Promise<ChosenEndpoint> {
  const { external, internal, hubApiserver: asked } = input;
  const chosen = (endpoint: Endpoint, source: EndpointSource): ChosenEndpoint => ({
    server: endpoint.server,
    certificateAuthority: input.certificateAuthority ?? endpoint.certificateAuthority,
    source,
  });
  if (asked !== undefined && URL.canParse(asked))
    return chosen({ ...external, server: asked }, '--hub-apiserver');
  const externalIsLocal = await isThisMachine(hostOf(new URL(external.server)), resolve);
  if (asked === 'context' || (asked === undefined && !externalIsLocal))
    return chosen(requireHttps(input.its, external), 'kubeconfig');

  const problem = await internalProblem(internal, resolve);
  if (internal !== undefined && problem === undefined)
    return chosen(internal, 'kube-public/cluster-info');
  const start = externalIsLocal
    ? `The API server of ${input.its} has the address ${external.server}, which ${input.user ?? `an agent in ${input.wec}`} cannot use, and`
    : 'The published address was asked for, but';
  throw new StellarError(
    'endpoint-unusable',
    `${start} ${input.its} publishes no other usable address (${problem}).`,
    advice(command`Pass the address that ${input.wec} reaches: --hub-apiserver https://…`),
  );
}

/** Whether two endpoints belong to one hub: by a known address or by its certificate authority, because either may have changed. */
export function isSameHub(present: Endpoint, known: readonly Endpoint[]): boolean {
  return known.some(
    ({ server, certificateAuthority }) =>
      server === present.server ||
      (certificateAuthority !== undefined &&
        certificateAuthority.trim() === present.certificateAuthority?.trim()),
  );
}

/** Agents send their tokens to it. @throws StellarError `endpoint-unusable` */
export function requireHttps(its: string, endpoint: Endpoint): Endpoint {
  if (endpoint.server.startsWith('https:')) return endpoint;
  throw new StellarError(
    'endpoint-unusable',
    `The API server of ${its} is reached by ${endpoint.server}, without TLS, which agents cannot use.`,
    advice('Pass the address that they reach: --hub-apiserver https://…'),
  );
}

async function internalProblem(internal: Endpoint | undefined, resolve: Resolve) {
  if (internal === undefined)
    return 'kube-public/cluster-info may not be read by this user, is missing, or has no server';
  const host = hostOf(new URL(internal.server));
  const inCluster =
    host === 'kubernetes' || host.startsWith('kubernetes.default') || /\.svc(\.|$)/.test(host);
  if (inCluster)
    return `kube-public/cluster-info says ${internal.server}, which only its own pods can use`;
  const isLocal = await isThisMachine(host, resolve);
  return isLocal
    ? `kube-public/cluster-info says ${internal.server}, which is local as well`
    : undefined;
}

type Resolve = (host: string) => Promise<string[]>;

const systemResolve: Resolve = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/**
 * Whether the host of a URL, without the brackets of an IPv6 address, is the machine that connects: for a pod of another cluster,
 * that would be the pod itself.
 */
export async function isThisMachine(
  host: string,
  resolve: Resolve = systemResolve,
): Promise<boolean> {
  if (isIP(host) !== 0) return isLoopback(host);
  const name = host.toLowerCase().replace(/\.$/, '');
  if (isLocalName(name)) return true;
  try {
    const addresses = await resolve(name);
    return addresses.length > 0 && addresses.every(isLoopback);
  } catch {
    return false;
  }
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('0.0.0.0', 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addAddress('::', 'ipv6');

function isLoopback(address: string) {
  return loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Verifies with TLS, without any credentials, that an address for agents is the hub's, before a token is sent there. It leaves an
 * internal address, and one that is unreachable from this machine, to the WEC's operator, which reports its result.
 * @returns a message about it, if there is one
 * @throws StellarError `tls-error` if another server answers than the one that the certificate authority has signed
 */
export async function verifyEndpoint(
  its: string,
  endpoint: ChosenEndpoint & HubConnection,
  run: Run,
): Promise<string | undefined> {
  if (endpoint.source === 'kube-public/cluster-info') return undefined;
  const cluster = clusterAt(endpoint);
  if (endpoint.proxyUrl !== undefined) cluster['proxy-url'] = endpoint.proxyUrl;
  const error = await errorAt(its, endpoint.server, cluster, run);
  if (error === undefined) return undefined;
  if (error.code !== 'unreachable') throw error;
  return `${endpoint.server} is not reached from here, so that it was not checked (${error.message})`;
}

/** How long a server may take to show its certificate. */
const probeTimeoutMs = 5000;

/** Why an address does not answer over a verified connection, without any credentials. Undefined if it does. */
export async function errorAt(
  name: string,
  server: string,
  cluster: ClusterEntry,
  { deadline, signal } = ownLimits(probeTimeoutMs),
): Promise<StellarError | undefined> {
  const anonymous = connect({ name, server, cluster, user: {} }, { deadline, signal });
  try {
    await anonymous.read('/version');
    return undefined;
  } catch (error) {
    // Any answer over a verified connection is enough: anonymous users may be denied.
    if (error instanceof ApiError) return undefined;
    if (error instanceof StellarError) return error;
    throw error;
  } finally {
    anonymous.close();
  }
}

/**
 * What the ITS publishes, with the certificate authority of the context if the published one is outdated: at the address that this
 * machine uses, the server shows for the published name a certificate of the former only.
 */
export async function withPresentAuthority(
  its: string,
  published: Endpoint | undefined,
  { server, certificateAuthority }: Endpoint,
): Promise<Endpoint | undefined> {
  if (published === undefined || certificateAuthority === undefined) return published;
  if (published.certificateAuthority?.trim() === certificateAuthority.trim()) return published;
  const named = { 'tls-server-name': hostOf(new URL(published.server)) };
  const [ofPublished, ofContext] = await Promise.all(
    [published.certificateAuthority, certificateAuthority].map((authority) =>
      errorAt(its, server, { ...clusterAt({ server, certificateAuthority: authority }), ...named }),
    ),
  );
  const isOutdated = ofPublished?.code === 'tls-error' && ofContext === undefined;
  return isOutdated ? { ...published, certificateAuthority } : published;
}
