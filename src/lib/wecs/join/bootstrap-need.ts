import { formatAge } from '../../engine/duration.ts';
import type { Secret } from '../../kube/objects.ts';
import { tokenExpiry } from '../hub/token.ts';
import { type HubConnection, readHubKubeconfig } from '../klusterlet/agent.ts';
import { hubConnectionOf } from '../registration/hub-connection.ts';
import type { WecEvidence } from '../registration/wec-evidence.ts';
import type { JoinOptions } from './options.ts';

/** The reason of a cluster that has never been joined. */
export const firstTime = 'bootstrap secret written';
/** A token that is about to expire would leave a request that cannot be picked up any more. */
const tokenMarginMs = 5 * 60_000;

/**
 * Why the bootstrap secret has to be written; undefined to keep it, because writing it makes the agent start anew. An agent that
 * works needs none, unless the user asks for another address.
 * @param now.isAvailable whether the ITS shows the WEC as available, which is newer than what the operator last said
 * @param now.isTokenRefused whether the ITS refuses the token that is in it
 */
export function bootstrapNeed(
  { klusterlet, bootstrapSecret, hubSecret }: WecEvidence,
  endpoint: HubConnection,
  options: JoinOptions,
  { isAvailable = false, isTokenRefused = false }: { isAvailable?: boolean; isTokenRefused?: boolean } = {},
): string | undefined {
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
  // The operator looks again after minutes only, or when the secret changes: what it said last may be over.
  const isInError = bootstrap === 'Error' || bootstrap === 'Unauthorized' || own === 'Error';
  return isInError && !isAvailable
    ? 'the agent did not reach the ITS when it last tried: bootstrap secret renewed'
    : undefined;
}

/** Whether a bootstrap secret leads elsewhere than an endpoint, or by another authority. */
export function isOtherConnection(bootstrapSecret: Secret | undefined, endpoint: HubConnection): boolean {
  const present = readHubKubeconfig(bootstrapSecret);
  return (
    present?.server !== endpoint.server ||
    present.certificateAuthority?.trim() !== endpoint.certificateAuthority?.trim() ||
    present.proxyUrl !== endpoint.proxyUrl
  );
}
