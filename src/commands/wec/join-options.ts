import { parseLabels } from '../../lib/core/changes.ts';
import { StellarError } from '../../lib/core/errors.ts';
import { command } from '../../lib/core/next-step.ts';
import type { HubAccess } from '../../lib/ocm/hub/hub-access.ts';
import type { WecResult } from '../../lib/wecs/follow/follow-registration.ts';
import {
  type AgentMode,
  type JoinOptions,
  joinOptionProblems,
} from '../../lib/wecs/join/join-options.ts';
import type { Session } from '../common/session.ts';

/** Options of the commands that register clusters. */
export interface JoiningOptions {
  joinFile?: string;
  accept?: boolean;
  label?: string[];
  hubApiserver?: string;
  caFile?: string;
  proxyUrl?: string;
  mode?: AgentMode;
  ocmVersion?: string;
  imageRegistry?: string;
  imagePullSecret?: string;
}

/** Options for the connection of the agents. */
export const connectionOptions: readonly (readonly [flags: string, about: string])[] = [
  [
    '--hub-apiserver <address>',
    'where the WECs reach the ITS: https://…, "context" (its server) or "published" (cluster-info)',
  ],
  ['--ca-file <file>', 'the certificate authority that the WECs trust for the ITS'],
  ['--proxy-url <url>', 'the proxy through which the WECs reach the ITS'],
];

/** @throws StellarError `usage` for a value that is wrong whatever the clusters are */
export function checkAddresses(options: JoiningOptions): void {
  const { hubApiserver, ocmVersion, proxyUrl } = options;
  for (const [option, value] of Object.entries({ hubApiserver, ocmVersion, proxyUrl })) {
    const problemOf = joinOptionProblems[option as keyof typeof joinOptionProblems];
    const problem = value === undefined ? undefined : problemOf(value);
    if (problem !== undefined) throw new StellarError('usage', `${problem}.`);
  }
}

/** Returns the options for the library. @throws StellarError `usage`, `file-error` */
export async function toJoinOptions(options: JoiningOptions): Promise<JoinOptions> {
  const { readCertificateAuthority, readDockerConfig } = await import(
    '../../lib/ocm/hub/hub-access.ts'
  );
  const { caFile, imagePullSecret } = options;
  return {
    hubApiserver: options.hubApiserver?.replace(/\/+$/, ''),
    certificateAuthority: caFile === undefined ? undefined : await readCertificateAuthority(caFile),
    proxyUrl: options.proxyUrl,
    mode: options.mode,
    ocmVersion: options.ocmVersion,
    imageRegistry: options.imageRegistry?.replace(/\/+$/, ''),
    imagePullSecret:
      imagePullSecret === undefined ? undefined : await readDockerConfig(imagePullSecret),
    accept: options.accept === true,
    labels: parseLabels(options.label ?? []),
  };
}

/** Opens the ITS, by its context or by a join file. */
export async function openAccess(
  session: Session,
  { joinFile }: JoiningOptions,
  certificateAuthority: string | undefined,
): Promise<HubAccess> {
  const { accessByJoinFile, accessHub, readJoinFile } = await import(
    '../../lib/ocm/hub/hub-access.ts'
  );
  if (joinFile !== undefined)
    return accessByJoinFile(await readJoinFile(joinFile, session.io.stdin));
  const its = await session.its();
  session.requireNamed(its);
  return accessHub(its, certificateAuthority);
}

type Asking = Pick<WecResult, 'name'> & Partial<Pick<WecResult, 'stage'>>;

/** Suggests to accept WECs with a pending request, otherwise to list the WECs. */
export function nextAfterJoin({ its, kube }: HubAccess, results: readonly Asking[]): string {
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
