import { formatAge } from '../core/deadline.ts';
import { tokenExpiry } from '../kube/client/tokens.ts';
import { heldValidity, issuedValidity, type Validity } from '../ocm/agent-certificate.ts';
import type { Endpoint, HubConnection } from '../ocm/endpoint.ts';
import { type ConnectionError, hubConnectionOf } from '../ocm/hub-connection.ts';
import type { HubEvidence } from '../ocm/hub-evidence.ts';
import { readHubKubeconfig } from '../ocm/klusterlet-agent.ts';
import type { FoundHub } from '../ocm/registered-hub.ts';
import type { WecEvidence } from '../ocm/wec-evidence.ts';
import { missing, type Reregister, type ReregisterCode } from './reregister-causes.ts';

/**
 * Why an agent must re-register, and how: the one place that decides it. It re-registers by a request with a bootstrap token: with
 * a new one, and without its certificate if that is of a registration that is gone.
 *
 * | cause | evidence | by |
 * |---|---|---|
 * | it is registered with another hub | the hub in its secrets, and the answer of the ITS to its certificate | certificate |
 * | the ITS has no ManagedCluster | it has a certificate: with that, it neither announces itself nor requests another one | certificate |
 * | its certificate has expired | the certificate | token |
 * | its certificate is rejected | the answer of the ITS, else the report of its operator | certificate, else token |
 * | its token is missing, expires or is revoked | its bootstrap secret, the answer of the ITS, the report of its operator | token |
 * | it does not reach the ITS | the report of its operator, and the address that a join would write | token |
 * | it could not announce itself, or has sent too many requests | its requests on the ITS | token |
 *
 * `wec get` and doctor show the causes that its clusters show (problems.ts); a join adds what it would write, and acts,
 * also while it follows the registration (restart-agent.ts).
 */
export function whyReregister(evidence: ReregisterEvidence): Reregister[] {
  const { wec } = evidence;
  const causes = [movedFrom(evidence), missing(evidence), ofCertificate(evidence)];
  if (wec !== undefined) causes.push(ofSecret(wec, evidence), reported(wec, evidence));
  return causes.filter((cause) => cause !== undefined);
}

/** A side that was not read is undefined. */
export interface ReregisterEvidence {
  hub: HubEvidence | undefined;
  wec: WecEvidence | undefined;
  /** By the clock of the ITS, milliseconds since the epoch. */
  now: number;
  /** The hub that the agent is registered with, and the answer of the ITS to its certificate. */
  foundHub?: FoundHub | undefined;
  /** Whether the agent keeps its WEC available, which is newer than its operator's last report. */
  isAvailable?: boolean;
  /** What a join would write. */
  join?: JoinEvidence;
}

interface JoinEvidence {
  endpoint: HubConnection;
  /** Whether the user gave the address. */
  isGiven: boolean;
  /** Whether the ITS refuses the token of an agent that has no certificate yet. */
  isTokenRefused: boolean;
  /** Whether that token does not show whose request it is. */
  isTokenShared: boolean;
}

function movedFrom({ foundHub }: ReregisterEvidence): Reregister | undefined {
  if (foundHub?.relation !== 'other') return undefined;
  return { code: 'registered-elsewhere', why: `it is registered with ${foundHub.hub.server}`, by: 'certificate' };
}

/** The validity of the certificate that the agent holds, or else of the last one that the hub issued. */
export function validityOfAgent({ wec, hub }: Pick<ReregisterEvidence, 'wec' | 'hub'>): Validity | undefined {
  if (wec !== undefined) return heldValidity(wec.hubSecret);
  return issuedValidity(hub?.requests.findLast(({ state }) => state === 'issued')?.csr.status?.certificate);
}

/** An expired certificate does not keep an agent from a request with a valid token (ocm pkg/registration/spoke). */
function ofCertificate(evidence: ReregisterEvidence): Reregister | undefined {
  const { foundHub, isAvailable, now } = evidence;
  const { to = now + 1 } = validityOfAgent(evidence) ?? {};
  if (to <= now) {
    const why = `the certificate of its agent expired ${formatAge(now - to)} ago`;
    return { code: 'certificate-expired', why, by: 'token', expiredFor: now - to };
  }
  const isRejected = foundHub?.answer?.state === 'refused' && !isAvailable;
  return isRejected
    ? { code: 'certificate-rejected', why: 'the ITS does not accept the certificate of its agent', by: 'certificate' }
    : undefined;
}

/** With a token about to expire, the request's certificate could no longer be fetched. */
const tokenMarginMs = 5 * 60_000;

/** Writing its bootstrap secret restarts an agent: one that works keeps it, unless the user gives another address. */
function ofSecret(wec: WecEvidence, { now, join }: ReregisterEvidence): Reregister | undefined {
  if (join === undefined) return undefined;
  const { endpoint, isGiven, isTokenRefused, isTokenShared } = join;
  const present = readHubKubeconfig(wec.bootstrapSecret);
  const needed = (code: Reregister['code'], why: string): Reregister => ({ code, why, by: 'token' });
  if (present?.token === undefined) return needed('bootstrap-secret-missing', 'it has no bootstrap token');
  const differs = isOtherConnection(wec, endpoint);
  if (differs && isGiven) return needed('address-given', 'another address of the ITS was given');
  const { state, bootstrap } = hubConnectionOf(wec.klusterlet);
  if (state === 'working' && wec.hubSecret !== undefined) return undefined;
  const rest = (tokenExpiry(present.token)?.getTime() ?? Number.POSITIVE_INFINITY) - now;
  if (rest <= 0)
    return { ...needed('token-expired', `the bootstrap token expired ${formatAge(-rest)} ago`), expiredFor: -rest };
  if (rest < tokenMarginMs) return needed('token-expired', `the bootstrap token expires in ${formatAge(rest)}`);
  if (isTokenRefused) return needed('token-revoked', 'the ITS does not accept the bootstrap token');
  if (differs && bootstrap !== 'Functional')
    return needed('hub-not-reached', 'the address or certificate authority of the ITS has changed');
  return isTokenShared && wec.hubSecret === undefined
    ? needed('token-shared', 'its bootstrap token may have other holders')
    : undefined;
}

/** Whether a bootstrap secret has another server or certificate authority than an endpoint. */
function isOtherConnection({ bootstrapSecret }: WecEvidence, endpoint: HubConnection): boolean {
  const present = readHubKubeconfig(bootstrapSecret);
  return (
    present?.server !== endpoint.server ||
    present.certificateAuthority?.trim() !== endpoint.certificateAuthority?.trim() ||
    present.proxyUrl !== endpoint.proxyUrl
  );
}

/** Whether the operator tried the agent's own certificate, not its bootstrap secret. */
export const usesCertificate = ({ klusterlet, hubSecret }: WecEvidence): boolean =>
  hubConnectionOf(klusterlet).config === 'Error' && hubSecret !== undefined;

/** As the operator reports it from inside the WEC: it checks again only after minutes, or when the secret changes. */
function reported(wec: WecEvidence, { now, isAvailable }: ReregisterEvidence): Reregister | undefined {
  const { bootstrap, config, error } = hubConnectionOf(wec.klusterlet);
  const isRefused = bootstrap === 'Error' && error.kind === 'unauthorized';
  if (isAvailable && !isRefused) return undefined;
  const why = isRefused
    ? 'the ITS does not accept the bootstrap token'
    : 'its agent did not reach the ITS when it last tried';
  const token = readHubKubeconfig(wec.bootstrapSecret)?.token;
  const usesOwn = usesCertificate(wec);
  const by = 'token';
  if (bootstrap === 'Unauthorized' && !usesOwn) return { code: 'not-allowed-to-register', why, by };
  if (bootstrap === 'Missing' && wec.hubSecret === undefined && token === undefined)
    return { code: 'bootstrap-secret-missing', why, by };
  if (bootstrap !== 'Error' && config !== 'Error') return undefined;
  const expiredFor = now - (tokenExpiry(token ?? '')?.getTime() ?? Number.POSITIVE_INFINITY);
  return error.kind === 'unauthorized' && !usesOwn && expiredFor >= 0
    ? { code: 'token-expired', why, by, expiredFor }
    : { code: unreached(wec, error), why, by };
}

/** An address that is valid only on the machine where it was read. */
const loopback = /\b(127(\.\d+){3}|\[::1\]):\d+: connect: connection refused/;

function unreached(wec: WecEvidence, { kind, words }: { kind: ConnectionError; words: string }): ReregisterCode {
  const usesOwn = usesCertificate(wec);
  if (kind === 'unauthorized' && usesOwn) return 'certificate-rejected';
  if (kind === 'unknown-authority' && usesOwn) return 'authority-changed';
  return whyUnreached(kind, words, readHubKubeconfig(wec.bootstrapSecret));
}

/** Why a bootstrap kubeconfig does not lead to the hub. @param given its connection, if it is known */
export function whyUnreached(kind: ConnectionError, words: string, given: Endpoint | undefined) {
  if (kind === 'unauthorized') return 'token-revoked';
  if (kind === 'other') return loopback.test(words) ? 'hub-address-loopback' : 'hub-not-reached';
  return given !== undefined && given.certificateAuthority === undefined ? 'authority-missing' : 'authority-wrong';
}
