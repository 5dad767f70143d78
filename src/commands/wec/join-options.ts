import { parseLabels } from '../../lib/core/changes.ts';
import { StellarError } from '../../lib/core/errors.ts';
import { command } from '../../lib/core/next-step.ts';
import type { Forecast } from '../../lib/forecast/forecast.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { HubAccess } from '../../lib/ocm/hub/hub-access.ts';
import type { WecResult } from '../../lib/wecs/diagnose/follow-registration.ts';
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

/**
 * Refuses a join that takes workloads away from WECs, or may do so, before anything is written: by its labels, or because policies select
 * the WEC without any as soon as it is registered, also before it is accepted (kubestellar 0.30.0, seen).
 * @returns what was read, for the join @throws StellarError `loss-unknown`
 */
export async function requireForeseenJoin(
  session: Session,
  { kube }: HubAccess,
  wecs: readonly { name: string; kube?: Kube }[],
  { labels }: JoinOptions,
  maxRemoved: number | undefined,
): Promise<Forecast> {
  const { noForecast } = await import('../../lib/forecast/read-forecast.ts');
  // Such a join writes nothing on the ITS.
  if (kube === undefined) return noForecast;
  const { changesFor } = await import('../../lib/core/changes.ts');
  const { findWecs } = await import('../../lib/ocm/hub/find-wecs.ts');
  const { unlessStatus } = await import('../../lib/kube/client/errors.ts');
  const { labelChanges } = await import('../../lib/wecs/values/label-changes.ts');
  const { requireForeseen } = await import('../common/forecast-text.ts');
  const reading = findWecs(kube, { names: wecs.map(({ name }) => name) });
  // A join needs the right to read them too, and says all that it may not do.
  const found = await unlessStatus(reading, 403);
  if (found === undefined) return noForecast;
  const changes = await labelChanges(
    kube,
    found.map(({ name, cluster }) => ({
      name,
      cluster,
      labels: changesFor(name, labels),
      isNew: cluster?.spec?.hubAcceptsClient !== true,
    })),
  );
  const lookOn = async (name: string) => wecs.find((wec) => wec.name === name)?.kube;
  return requireForeseen(session, await session.its(), changes, { maxRemoved, lookOn });
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
