import { formatAge } from '../../engine/duration.ts';
import { StellarError } from '../../engine/errors.ts';
import { inWords } from '../../engine/next-step.ts';
import type { Run } from '../../engine/run.ts';
import { blockingStage, isMet, type StageReport } from '../../engine/stages.ts';
import type { HubConnection } from '../../hub/endpoint.ts';
import type { HubAccess } from '../../hub/hub-access.ts';
import { imageVersion } from '../../kube/image.ts';
import type { Secret } from '../../kube/objects.ts';
import { tokenExpiry } from '../../kube/tokens.ts';
import { beingDeregistered } from '../get/deletion.ts';
import { image, readHubKubeconfig } from '../klusterlet/agent.ts';
import type { WecResult } from '../registration/follow.ts';
import { hubConnectionOf } from '../registration/hub-connection.ts';
import { judgeRegistration } from '../registration/stages.ts';
import type { WecEvidence } from '../registration/wec-evidence.ts';
import { HubRecords } from './hub-records.ts';
import type { JoinOptions } from './options.ts';
import type { JoinPlan } from './preflight.ts';

/** The reason for a cluster that has never joined. */
export const firstTime = 'bootstrap secret written';
/** With a token about to expire, the request's certificate could no longer be fetched. */
const tokenMarginMs = 5 * 60_000;

/**
 * Why the bootstrap secret must be written; undefined to keep it, because writing it restarts the agent. A working agent needs
 * none, unless the user wants another address.
 * @param now.isAvailable whether the ITS shows the WEC as available, which is newer than the operator's last report
 * @param now.isTokenRefused whether the ITS refuses the token in it
 * @param now.isTokenShared whether the token in it does not show whose request it is
 */
export function bootstrapNeed(
  { klusterlet, bootstrapSecret, hubSecret }: WecEvidence,
  endpoint: HubConnection,
  options: JoinOptions,
  now: { isAvailable?: boolean; isTokenRefused?: boolean; isTokenShared?: boolean } = {},
): string | undefined {
  const { isAvailable = false, isTokenRefused = false, isTokenShared = false } = now;
  const present = readHubKubeconfig(bootstrapSecret);
  if (present?.token === undefined) return firstTime;
  const differs = isOtherConnection(bootstrapSecret, endpoint);
  const asked = [
    options.hubApiserver,
    options.forceInternalEndpointLookup,
    options.certificateAuthority,
    options.proxyUrl,
  ];
  if (differs && asked.some((option) => option !== undefined))
    return 'bootstrap secret written with the address that was asked for';

  const { state, bootstrap, own, error } = hubConnectionOf(klusterlet);
  if (state === 'working' && hubSecret !== undefined) return undefined;
  const expiry = tokenExpiry(present.token);
  const left = expiry === undefined ? Number.POSITIVE_INFINITY : expiry.getTime() - Date.now();
  if (left <= 0) return `the bootstrap token had expired ${formatAge(-left)} ago: renewed`;
  if (left < tokenMarginMs) return `the bootstrap token was to expire in ${formatAge(left)}: renewed`;
  if (isTokenRefused && hubSecret === undefined) return 'the ITS does not accept the bootstrap token: renewed';
  if (differs && bootstrap !== 'Functional')
    return 'the address or certificate authority of the ITS has changed: bootstrap secret renewed';
  if (bootstrap === 'Error' && error.kind === 'unauthorized')
    return 'the ITS did not accept the bootstrap token: renewed';
  if (isTokenShared && hubSecret === undefined) return 'its bootstrap token may have other holders: renewed';
  // The operator checks again only after minutes or when the secret changes: its last report may be outdated.
  const isInError = bootstrap === 'Error' || bootstrap === 'Unauthorized' || own === 'Error';
  return isInError && !isAvailable
    ? 'the agent did not reach the ITS when it last tried: bootstrap secret renewed'
    : undefined;
}

/** Whether a bootstrap secret has another server or certificate authority than an endpoint. */
export function isOtherConnection(bootstrapSecret: Secret | undefined, endpoint: HubConnection): boolean {
  const present = readHubKubeconfig(bootstrapSecret);
  return (
    present?.server !== endpoint.server ||
    present.certificateAuthority?.trim() !== endpoint.certificateAuthority?.trim() ||
    present.proxyUrl !== endpoint.proxyUrl
  );
}

/** Whether everything that was requested is already in place, except labels. */
export function isDone(access: HubAccess, plan: JoinPlan, options: JoinOptions): boolean {
  const { wecBefore, endpoint, lost } = plan;
  const reports = judgePlan(access, plan);
  const isAvailable = isMet(reports, 'available');
  if (wecBefore.klusterlet === undefined || lost !== undefined) return false;
  if (bootstrapNeed(wecBefore, endpoint, options, { ...plan, isAvailable }) !== undefined) return false;
  // The Lease of an agent that no longer runs stays fresh for minutes.
  return blockingStage(reports) === undefined && (isAvailable || access.kube === undefined);
}

/** The state of the registration before this run wrote anything. */
export const judgePlan = (access: HubAccess, { name, wecBefore, hubBefore }: JoinPlan): StageReport[] =>
  judgeRegistration({ name, hub: hubBefore, wec: wecBefore, now: access.kube?.now() ?? Date.now() });

/**
 * Sets missing labels, records the identity of the cluster, and reports that nothing else was necessary.
 * @throws StellarError `version-differs`, or `conflict` during a deregistration, before the first write
 */
export async function finishDone(
  access: HubAccess,
  plan: JoinPlan,
  options: JoinOptions,
  run: Run,
): Promise<WecResult> {
  const { name, wecBefore, hubBefore } = plan;
  refuseOtherImages(plan, options);
  const leaving = beingDeregistered({ hub: hubBefore, name, its: access.its });
  if (leaving !== undefined) throw new StellarError('conflict', leaving.message, { next: leaving.next });
  const records = access.kube && new HubRecords(access.kube, plan, options, run);
  const written = (hubBefore && (await records?.write(hubBefore, wecBefore, undefined))) ?? [];
  const state = access.kube === undefined ? 'connected' : 'available';
  run.progress.done(
    name,
    `is registered with ${access.its} and ${state}; ${written.join(', ') || 'nothing to do'}.${versionNote(access, wecBefore)}${ignoredNote(options)}`,
  );
  const changed = written.length > 0 && access.kube?.dryRun !== true;
  return { name, stage: state, blockedAt: null, changed };
}

function versionNote({ ocmVersion }: HubAccess, { klusterlet, operator }: WecEvidence): string {
  const { deployOption, imagePullSpec, registrationImagePullSpec } = klusterlet?.spec ?? {};
  const agent = imageVersion(deployOption?.mode === 'Default' ? registrationImagePullSpec : imagePullSpec);
  const runs = imageVersion(operator?.spec?.template?.spec?.containers?.[0]?.image);
  const others = [
    ...(agent === undefined || agent === ocmVersion ? [] : [`agent is ${agent}`]),
    ...(runs === undefined || runs === ocmVersion || runs === agent ? [] : [`operator is ${runs}`]),
  ];
  return ocmVersion === undefined || others.length === 0 ? '' : ` Its ${others.join(', its ')}, the hub ${ocmVersion}.`;
}

/** A join keeps an agent that works: images that were asked for must be those that it has. */
function refuseOtherImages({ name, settings, wecBefore }: JoinPlan, options: JoinOptions): void {
  const { klusterlet, operator } = wecBefore;
  const wanted = image(settings, 'registration-operator');
  const present = [klusterlet?.spec?.imagePullSpec, operator?.spec?.template?.spec?.containers?.[0]?.image];
  const other = present.find((each) => each !== undefined && each !== wanted);
  if ((options.ocmVersion ?? options.imageRegistry) === undefined || other === undefined) return;
  throw new StellarError(
    'version-differs',
    `${name} is registered, and its agent works with ${other}; a join does not replace that with ${wanted}.`,
    { next: [inWords('Leave out --ocm-version and --image-registry to keep it as it is.')] },
  );
}

const ignoredNote = ({ imagePullSecret }: JoinOptions): string =>
  imagePullSecret === undefined
    ? ''
    : ' A join does not change an agent that works: --image-pull-secret had no effect.';
