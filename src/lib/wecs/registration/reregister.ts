import { formatAge } from '../../core/deadline.ts';
import { command, type NextStep, noted, type Problem, partial, run } from '../../core/next-step.ts';
import { changedAt, conditionOf, resources, type Secret } from '../../kube/client/objects.ts';
import { tokenExpiry, type Validity } from '../../kube/client/validity.ts';
import { heldValidity, issuedValidity } from '../../ocm/agent/agent-certificate.ts';
import { readHubKubeconfig } from '../../ocm/agent/klusterlet-agent.ts';
import type { FoundHub } from '../../ocm/agent/registered-hub.ts';
import type { WecEvidence } from '../../ocm/agent/wec-evidence.ts';
import type { Endpoint, HubConnection } from '../../ocm/hub/endpoint.ts';
import {
  type ConnectionError,
  hubConnectionOf,
  hubConnectionType,
  isOfOtherServer,
} from '../../ocm/hub/hub-connection.ts';
import { type HubEvidence, hasJoined, isAvailable } from '../../ocm/hub/hub-evidence.ts';
import {
  missing,
  needsToken,
  type Reregister,
  type ReregisterCode,
  type ReregisterProblem,
  wecProblem,
} from './problems.ts';
import type { WecFindings } from './registration-checks.ts';

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
  if (wec !== undefined) causes.push(ofSecret(wec, evidence), reportedFailure(wec, evidence));
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
  return {
    code: 'registered-elsewhere',
    why: `it is registered with ${foundHub.hub.server}`,
    by: 'certificate',
  };
}

/** The validity of the certificate that the agent holds, or else of the last one that the hub issued. */
export function validityOfAgent({
  wec,
  hub,
}: Pick<ReregisterEvidence, 'wec' | 'hub'>): Validity | undefined {
  if (wec !== undefined) return heldValidity(wec.hubSecret);
  return issuedValidity(
    hub?.requests.findLast(({ state }) => state === 'issued')?.csr.status?.certificate,
  );
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
    ? {
        code: 'certificate-rejected',
        why: 'the ITS does not accept the certificate of its agent',
        by: 'certificate',
      }
    : undefined;
}

/** With a token about to expire, the request's certificate could no longer be fetched. */
const tokenMarginMs = 5 * 60_000;

/** Writing its bootstrap secret restarts an agent: one that works keeps it, unless the user gives another address. */
function ofSecret(wec: WecEvidence, { now, join }: ReregisterEvidence): Reregister | undefined {
  if (join === undefined) return undefined;
  const { endpoint, isGiven, isTokenRefused, isTokenShared } = join;
  const present = readHubKubeconfig(wec.bootstrapSecret);
  const needed = (code: Reregister['code'], why: string): Reregister => ({
    code,
    why,
    by: 'token',
  });
  if (present?.token === undefined)
    return needed('bootstrap-secret-missing', 'it has no bootstrap token');
  const differs = isOtherConnection(wec, endpoint);
  if (differs && isGiven) return needed('address-given', 'another address of the ITS was given');
  const { state, bootstrap } = hubConnectionOf(wec.klusterlet);
  if (state === 'working' && wec.hubSecret !== undefined) return undefined;
  const rest = (tokenExpiry(present.token)?.getTime() ?? Number.POSITIVE_INFINITY) - now;
  if (rest <= 0)
    return {
      ...needed('token-expired', `the bootstrap token expired ${formatAge(-rest)} ago`),
      expiredFor: -rest,
    };
  if (rest < tokenMarginMs)
    return needed('token-expired', `the bootstrap token expires in ${formatAge(rest)}`);
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
const usesCertificate = ({ klusterlet, hubSecret }: WecEvidence): boolean =>
  hubConnectionOf(klusterlet).config === 'Error' && hubSecret !== undefined;

/** As the operator reports it from inside the WEC: it checks again only after minutes, or when the secret changes. */
function reportedFailure(
  wec: WecEvidence,
  { now, isAvailable }: ReregisterEvidence,
): Reregister | undefined {
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
    : { code: codeOfUnreached(wec, error), why, by };
}

/** An address that is valid only on the machine where it was read. */
const refusedLoopback = /\b(127(\.\d+){3}|\[::1\]):\d+: connect: connection refused/;

function codeOfUnreached(
  wec: WecEvidence,
  { kind, words }: { kind: ConnectionError; words: string },
): ReregisterCode {
  const usesOwn = usesCertificate(wec);
  if (kind === 'unauthorized' && usesOwn) return 'certificate-rejected';
  if (kind === 'unknown-authority' && usesOwn) return 'authority-changed';
  return whyUnreached(kind, words, readHubKubeconfig(wec.bootstrapSecret));
}

/** Why a bootstrap kubeconfig does not lead to the hub. @param given its connection, if it is known */
export function whyUnreached(kind: ConnectionError, words: string, given: Endpoint | undefined) {
  if (kind === 'unauthorized') return 'token-revoked';
  if (kind === 'other')
    return refusedLoopback.test(words) ? 'hub-address-loopback' : 'hub-not-reached';
  return given !== undefined && given.certificateAuthority === undefined
    ? 'authority-missing'
    : 'authority-wrong';
}

/** The checks of a WEC that show why its agent must re-register. */

/** The first cause of these codes. */
const causeOf = (
  findings: WecFindings,
  ...codes: readonly ReregisterCode[]
): ReregisterProblem | undefined =>
  whyReregister(findings).find((cause): cause is ReregisterProblem =>
    codes.some((code) => code === cause.code),
  );

/** The join with which an agent re-registers. */
function joinOf(findings: WecFindings, options: readonly string[], note: string): NextStep {
  const { name, its, wec, context = wec?.context } = findings;
  const join = command`stellarctl wec join ${`${name}=${context ?? 'CONTEXT'}`} ${options} --its ${its}`;
  return { ...(context === undefined ? partial : run)(join), note };
}

/** Its agent reports to another hub, whatever else is wrong. */
export function registeredElsewhere(findings: WecFindings): Problem | undefined {
  const { foundHub, wec, name, its } = findings;
  const cause = causeOf(findings, 'registered-elsewhere');
  if (wec === undefined || cause === undefined) return undefined;
  const why =
    foundHub?.answer?.state === 'accepted'
      ? `and nothing proves that this is ${its}`
      : `not with ${its}`;
  const message = `The cluster of context ${wec.context} is registered as ${name} with the hub ${foundHub?.hub.server}, ${why}.`;
  const move = command`stellarctl wec join ${`${name}=${wec.context}`} --accept --its ${its} --replace-hub`;
  return wecProblem(
    cause.code,
    message,
    noted(move, 'moves it, after showing what happens to its workloads'),
  );
}

export function missingManagedCluster(findings: WecFindings): Problem | undefined {
  const { wec, name, its } = findings;
  const cause = causeOf(findings, 'managed-cluster-missing', 'hub-rebuilt');
  if (wec === undefined || cause === undefined) return undefined;
  const start = `There is no ManagedCluster ${name} on ${its}`;
  return wecProblem(
    cause.code,
    cause.code === 'hub-rebuilt'
      ? `${start}, whose certificate authority is another one than when ${name} joined: it was rebuilt, or is another hub of the same address.`
      : `${start}, and its agent, which has its certificate, does not announce it (again).`,
    joinOf(findings, ['--accept'], 'registers it again; --label sets its labels, which were lost'),
  );
}

/** The operator reports it as one that the hub does not accept. */
export function expiredCertificate(findings: WecFindings): Problem | undefined {
  const cause = causeOf(findings, 'certificate-expired');
  if (cause === undefined) return undefined;
  const message = `The certificate of the agent of ${findings.name} expired ${formatAge(cause.expiredFor ?? 0)} ago.`;
  return wecProblem(
    cause.code,
    message,
    joinOf(findings, ['--accept'], 'makes it request another one'),
  );
}

type Sentence = (given: { name: string; its: string; words: string; expired: string }) => string;

const sentences: Partial<Record<ReregisterCode, Sentence>> = {
  'certificate-rejected': ({ name, its }) => `${its} no longer accepts the certificate of ${name}.`,
  'token-expired': ({ name, expired }) => `The bootstrap token of ${name} expired ${expired} ago.`,
  'token-revoked': ({ name, its }) =>
    `${its} no longer accepts the bootstrap token of ${name}, which has not expired: it was revoked, or its service account was recreated.`,
  'bootstrap-secret-missing': ({ name }) =>
    `The bootstrap secret of ${name} is missing, so that its agent cannot start.`,
  'not-allowed-to-register': ({ name, words }) =>
    `The bootstrap token of ${name} is accepted, but not allowed to register clusters: ${words}.`,
  'authority-changed': ({ name }) =>
    `The hub's certificate authority has changed since ${name} joined.`,
  'authority-wrong': ({ name }) =>
    `${name} was given another certificate authority than the hub's.`,
  'authority-missing': ({ name }) =>
    `${name} was given no certificate authority, and the hub's is not a public one.`,
  'hub-address-loopback': ({ name, words }) =>
    `${name} does not reach the hub: the address that it has is a loopback address, which inside a cluster is the pod itself: ${words}.`,
};
const hubNotReached: Sentence = ({ name, words }) => `${name} does not reach the hub: ${words}.`;

/** The causes that have checks of their own. */
const otherChecks = [
  'registered-elsewhere',
  'managed-cluster-missing',
  'hub-rebuilt',
  'certificate-expired',
];

/** What keeps an agent from the hub. */
export function cannotConnect(findings: WecFindings): Problem | undefined {
  const { hub, wec, forbidden, name, its } = findings;
  const isJoined = hub !== undefined && hasJoined(hub);
  // The ITS counts an agent that has lost its certificate as available until its Lease expires.
  const hasCertificate = wec?.hubSecret !== undefined || forbidden.has(resources.secrets.plural);
  if (wec === undefined || (isJoined && isAvailable(hub) && hasCertificate) || isContradicted(wec))
    return undefined;
  const { bootstrap, config, error } = hubConnectionOf(wec.klusterlet);
  const cause = whyReregister(findings).find(isProblem);
  // The report is older than the removal of the certificate.
  const isOutdated = bootstrap === 'Functional' && config === 'Error' && !usesCertificate(wec);
  if (cause === undefined || isOutdated) return undefined;
  // An agent that joined before sends a new request once it re-registers, and a user must accept it.
  const join = command`stellarctl wec join ${`${name}=${wec.context}`} ${isJoined ? ['--accept'] : []} --its ${its}`;
  const given = { name, its, words: error.words, expired: formatAge(cause.expiredFor ?? 0) };
  const says = sentences[cause.code] ?? hubNotReached;
  return wecProblem(cause.code, says(given), ...stepsOfCode(cause.code, join, its));
}

const isProblem = (cause: Reregister): cause is ReregisterProblem =>
  !otherChecks.includes(cause.code);

function stepsOfCode(code: ReregisterCode, join: string, its: string): NextStep[] {
  if (code === 'not-allowed-to-register')
    return [run(command`stellarctl doctor --its ${its}`, 'See what the ITS allows')];
  if (code === 'bootstrap-secret-missing') return [run(join)];
  if (needsToken(code)) return [noted(join, 'renews the token')];
  if (!code.startsWith('authority'))
    return [
      { ...partial(`${join} --hub-apiserver https://…`), note: 'the address that it reaches' },
    ];
  // What the ITS publishes may be outdated.
  const authority = partial(
    `${join} --ca-file FILE`,
    'If that changes nothing, give the authority that the hub uses',
  );
  return [noted(join, 'renews its connection'), authority];
}

/**
 * Whether a secret contradicts what a WEC's operator reports of its connection and was written since. A later write is not enough:
 * the time of the condition changes only with its status, not with its reason or message (seen with OCM 1.3.1).
 */
function isContradicted({ klusterlet, bootstrapSecret, hubSecret }: WecEvidence): boolean {
  const { state, bootstrap, config, error } = hubConnectionOf(klusterlet);
  const since = Date.parse(conditionOf(klusterlet, hubConnectionType)?.lastTransitionTime ?? '');
  const isNewer = (secret: Secret | undefined) => secret !== undefined && changedAt(secret) > since;
  if (state !== 'degraded') return false;
  const isMissing = config === 'SecretMissing' || config === 'Missing';
  const hasCertificate =
    hubSecret?.data?.['tls.crt'] !== undefined && readHubKubeconfig(hubSecret) !== undefined;
  if (isMissing && hasCertificate && isNewer(hubSecret)) return true;
  if (
    config === 'Error' &&
    bootstrap === 'Functional' &&
    isOfOtherServer(error, hubSecret) &&
    isNewer(hubSecret)
  )
    return true;
  const isThere = bootstrap === 'Missing' && readHubKubeconfig(bootstrapSecret) !== undefined;
  const isOther = bootstrap === 'Error' && isOfOtherServer(error, bootstrapSecret);
  return (isThere || isOther) && isNewer(bootstrapSecret);
}
