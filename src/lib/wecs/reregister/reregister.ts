import { formatAge } from '../../engine/duration.ts';
import { heldValidity, issuedValidity, type Validity } from '../../hub/agent-certificate.ts';
import type { HubConnection } from '../../hub/endpoint.ts';
import { tokenExpiry } from '../../kube/tokens.ts';
import type { FoundHub } from '../identity/registered-hub.ts';
import { readHubKubeconfig } from '../klusterlet/agent.ts';
import type { WecProblemCode } from '../problems.ts';
import { type ConnectionError, hubConnectionOf } from '../registration/hub-connection.ts';
import { bootstrapRequests, type HubEvidence } from '../registration/hub-evidence.ts';
import type { RegistrationRequest } from '../registration/requests.ts';
import type { WecEvidence } from '../registration/wec-evidence.ts';

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
 * `wec get` and doctor show the causes that its clusters show (problems.ts); a join adds what it would write, and acts (agent.ts),
 * also while it follows the registration (during-join.ts); `doctor --fix` does the same without a user's decision (fix.ts).
 */
export function whyReregister(evidence: ReregisterEvidence): Reregister[] {
  const { wec } = evidence;
  const causes = [movedFrom(evidence), missing(evidence), ofCertificate(evidence)];
  if (wec !== undefined) causes.push(ofSecret(wec, evidence), reported(wec, evidence));
  return causes.filter((cause) => cause !== undefined);
}

/** What of an agent is out of date, by the problem that shows it; `decision`: a user decides what to do. */
const causes = {
  'registered-elsewhere': 'decision',
  'hub-rebuilt': 'decision',
  'not-allowed-to-register': 'decision',
  'managed-cluster-missing': 'credentials',
  'certificate-expired': 'credentials',
  'certificate-rejected': 'credentials',
  'token-expired': 'credentials',
  'token-revoked': 'credentials',
  'bootstrap-secret-missing': 'credentials',
  'authority-changed': 'address',
  'authority-wrong': 'address',
  'authority-missing': 'address',
  'certificate-of-other-name': 'address',
  'hub-unresolvable': 'address',
  'hub-address-loopback': 'address',
  'hub-refuses': 'address',
  'hub-silent': 'address',
  'hub-not-reached': 'address',
  'requests-piled-up': 'requests',
  'not-announced': 'announcement',
} as const satisfies Partial<Record<WecProblemCode, string>>;

export type ReregisterCode = keyof typeof causes;

export type Outdated = Exclude<(typeof causes)[ReregisterCode], 'decision'>;

/** @returns undefined for a problem that is not fixed by re-registering, or not without a user's decision */
export function outdatedBy(code: string): Outdated | undefined {
  const outdated = Object.hasOwn(causes, code) ? causes[code as ReregisterCode] : 'decision';
  return outdated === 'decision' ? undefined : outdated;
}

export interface Reregister {
  /** The last two are no problems of a WEC: the user gives another address; the token does not show whose request it is. */
  code: ReregisterCode | 'address-given' | 'token-shared';
  why: string;
  /** `token`: with a new bootstrap secret. `certificate`: with the removal of its certificate as well. */
  by: 'token' | 'certificate';
  /** How long ago it expired, in milliseconds. */
  expiredFor?: number;
}

/** A cause that is a problem of a WEC. */
export type ReregisterProblem = Reregister & { code: ReregisterCode };

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

/** An agent announces itself with its request. If the hub's webhook denies it, it retries only after hours or when it restarts. */
export const announcementGraceMs = 30_000;

/** Its ManagedCluster has been deleted, or the certificate was issued too early (ocm pkg/registration/spoke). */
function missing({ hub, wec, foundHub, now }: ReregisterEvidence): Reregister | undefined {
  if (hub === undefined || hub.managedCluster !== undefined) return undefined;
  const asked = bootstrapRequests(hub).at(-1);
  const isIssued = asked?.state === 'issued' && now - (asked.decided ?? asked.created) >= announcementGraceMs;
  if (wec === undefined ? !isIssued : wec.hubSecret === undefined) return undefined;
  const code = foundHub?.relation === 'same-address' ? 'hub-rebuilt' : 'managed-cluster-missing';
  return { code, why: 'its agent has a certificate, and the ITS has no ManagedCluster of it', by: 'certificate' };
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
  const left = (tokenExpiry(present.token)?.getTime() ?? Number.POSITIVE_INFINITY) - now;
  if (left <= 0)
    return { ...needed('token-expired', `the bootstrap token expired ${formatAge(-left)} ago`), expiredFor: -left };
  if (left < tokenMarginMs) return needed('token-expired', `the bootstrap token expires in ${formatAge(left)}`);
  if (isTokenRefused) return needed('token-revoked', 'the ITS does not accept the bootstrap token');
  if (differs && bootstrap !== 'Functional')
    return needed('hub-not-reached', 'the address or certificate authority of the ITS has changed');
  return isTokenShared && wec.hubSecret === undefined
    ? needed('token-shared', 'its bootstrap token may have other holders')
    : undefined;
}

/** Whether a bootstrap secret has another server or certificate authority than an endpoint. */
export function isOtherConnection({ bootstrapSecret }: WecEvidence, endpoint: HubConnection): boolean {
  const present = readHubKubeconfig(bootstrapSecret);
  return (
    present?.server !== endpoint.server ||
    present.certificateAuthority?.trim() !== endpoint.certificateAuthority?.trim() ||
    present.proxyUrl !== endpoint.proxyUrl
  );
}

/** Whether the operator tried the agent's own certificate, not its bootstrap secret. */
export const usesCertificate = ({ klusterlet, hubSecret }: WecEvidence): boolean =>
  hubConnectionOf(klusterlet).own === 'Error' && hubSecret !== undefined;

/** As the operator reports it from inside the WEC: it checks again only after minutes, or when the secret changes. */
function reported(wec: WecEvidence, { now, isAvailable }: ReregisterEvidence): Reregister | undefined {
  const { bootstrap, own, error } = hubConnectionOf(wec.klusterlet);
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
  if (bootstrap !== 'Error' && own !== 'Error') return undefined;
  const expiredFor = now - (tokenExpiry(token ?? '')?.getTime() ?? Number.POSITIVE_INFINITY);
  return error.kind === 'unauthorized' && !usesOwn && expiredFor >= 0
    ? { code: 'token-expired', why, by, expiredFor }
    : { code: unreached(wec, error), why, by };
}

/** The problem is the hub's address; the operator's message shows which one. */
const ofAddress = {
  'other-name': 'certificate-of-other-name',
  unresolvable: 'hub-unresolvable',
  refused: 'hub-refuses',
  'no-answer': 'hub-silent',
  other: 'hub-not-reached',
} as const;

/** An address that is valid only on the machine where it was read. */
const loopback = /\b(127(\.\d+){3}|\[::1\]):\d+: connect: connection refused/;

function unreached(wec: WecEvidence, { kind, words }: { kind: ConnectionError; words: string }): ReregisterCode {
  const usesOwn = usesCertificate(wec);
  if (kind === 'unauthorized') return usesOwn ? 'certificate-rejected' : 'token-revoked';
  if (kind !== 'unknown-authority') return loopback.test(words) ? 'hub-address-loopback' : ofAddress[kind];
  if (usesOwn) return 'authority-changed';
  const present = readHubKubeconfig(wec.bootstrapSecret);
  return present !== undefined && present.certificateAuthority === undefined ? 'authority-missing' : 'authority-wrong';
}

/** A request whose sender has not announced its ManagedCluster. @param since when the ITS could have admitted it */
export function unannounced(hub: HubEvidence, now: number, graceMs: number, since = 0): ReregisterProblem | undefined {
  const asked = bootstrapRequests(hub).at(-1);
  const isOverdue = asked !== undefined && now - Math.max(asked.decided ?? asked.created, since) > graceMs;
  if (hub.managedCluster !== undefined || !isOverdue) return undefined;
  return { code: 'not-announced', why: 'its agent could not announce itself', by: 'token' };
}

/** This many requests of one name on the hub keep its agent from sending more (ocm pkg/registration/register/csr). */
const requestsAtMost = 10;

export const pendingRequests = (hub: HubEvidence): RegistrationRequest[] =>
  bootstrapRequests(hub).filter(({ state }) => state === 'pending');

export const piledUp = (hub: HubEvidence): ReregisterProblem | undefined =>
  pendingRequests(hub).length < requestsAtMost
    ? undefined
    : { code: 'requests-piled-up', why: 'its agent sends no more requests', by: 'token' };
