import { command } from '../../lib/core/command-line.ts';
import { StellarError } from '../../lib/core/errors.ts';
import type { HubAccess } from '../../lib/ocm/hub-access.ts';
import { parseAnnotations, parseLabels } from '../../lib/ocm/labels.ts';
import type { WecResult } from '../../lib/wecs/follow-registration.ts';
import { type JoinOptions, joinOptionProblems } from '../../lib/wecs/join-options.ts';
import type { Session } from '../common/session.ts';

/** Options of the commands that register clusters. */
export interface JoiningOptions {
  joinFile?: string;
  accept?: boolean;
  label?: string[];
  annotation?: string[];
  hubApiserver?: string;
  forceInternalEndpointLookup?: boolean;
  caFile?: string;
  proxyUrl?: string;
  singleton?: boolean;
  ocmVersion?: string;
  imageRegistry?: string;
  imagePullSecret?: string;
}

/** Options for the connection and the images of the agents. */
export const agentOptions: readonly (readonly [flags: string, about: string])[] = [
  ['--hub-apiserver <url>', 'the address at which the WECs reach the ITS'],
  ['--force-internal-endpoint-lookup', 'make the WECs use the address in kube-public/cluster-info'],
  ['--no-force-internal-endpoint-lookup', 'make the WECs use the server address of the context'],
  ['--ca-file <file>', 'the certificate authority that the WECs trust for the ITS'],
  ['--proxy-url <url>', 'the proxy through which the WECs reach the ITS'],
  ['--ocm-version <version>', "the version of the agents (default: the hub's own)"],
  ['--image-registry <registry>', "the registry of the agents' images (default: the hub's)"],
];

/** Validates the options themselves: the address of the ITS must be a single one. @throws StellarError `usage` */
export function checkAddresses(options: JoiningOptions): void {
  const { hubApiserver, forceInternalEndpointLookup, ocmVersion, proxyUrl } = options;
  if (hubApiserver !== undefined && forceInternalEndpointLookup !== undefined)
    throw new StellarError('usage', 'Give either --hub-apiserver or --force-internal-endpoint-lookup.');
  for (const [option, value] of Object.entries({ hubApiserver, ocmVersion, proxyUrl })) {
    const problemOf = joinOptionProblems[option as keyof typeof joinOptionProblems];
    const problem = value === undefined ? undefined : problemOf(value);
    if (problem !== undefined) throw new StellarError('usage', `${problem}.`);
  }
}

/** Returns the options for the library. @throws StellarError `usage`, `file-error` */
export async function toJoinOptions(options: JoiningOptions): Promise<JoinOptions> {
  const { readCertificateAuthority, readDockerConfig } = await import('../../lib/ocm/join-file.ts');
  const { caFile, imagePullSecret } = options;
  return {
    hubApiserver: options.hubApiserver?.replace(/\/+$/, ''),
    forceInternalEndpointLookup: options.forceInternalEndpointLookup,
    certificateAuthority: caFile === undefined ? undefined : await readCertificateAuthority(caFile),
    proxyUrl: options.proxyUrl,
    singleton: options.singleton,
    ocmVersion: options.ocmVersion,
    imageRegistry: options.imageRegistry?.replace(/\/+$/, ''),
    imagePullSecret: imagePullSecret === undefined ? undefined : await readDockerConfig(imagePullSecret),
    accept: options.accept === true,
    labels: parseLabels(options.label ?? []),
    annotations: parseAnnotations(options.annotation ?? []),
  };
}

/** Opens the ITS, by its context or by a join file. */
export async function openAccess(
  session: Session,
  { joinFile }: JoiningOptions,
  certificateAuthority: string | undefined,
): Promise<HubAccess> {
  const { accessByJoinFile, accessHub } = await import('../../lib/ocm/hub-access.ts');
  if (joinFile !== undefined) {
    const { readJoinFile } = await import('../../lib/ocm/join-file.ts');
    return accessByJoinFile(await readJoinFile(joinFile, session.io.stdin));
  }
  const { context, kube } = await session.its();
  return accessHub(kube, context, certificateAuthority);
}

type Asking = Pick<WecResult, 'name'> & Partial<Pick<WecResult, 'stage'>>;

/** Suggests to accept WECs with a pending request, otherwise to list the WECs. */
export function nextStep({ its, kube }: HubAccess, results: readonly Asking[]): string {
  const asking = results
    .filter(({ stage }) => stage === 'request' || stage === 'hub-reachable')
    .map(({ name }) => name);
  const there = kube ? '' : '      (on the ITS)';
  // The WEC's side does not show whether the request has arrived.
  const wait = kube ? [] : ['--wait'];
  const next =
    asking.length === 0
      ? command`stellarctl wec list --its ${its}`
      : command`stellarctl accept ${[...asking, ...wait]} --its ${its}`;
  return `${next}${there}`;
}
