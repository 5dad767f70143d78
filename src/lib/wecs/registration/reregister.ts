import { formatAge } from '../../core/deadline.ts';
import { advice, command, type Problem, partial, run } from '../../core/next-step.ts';
import { changedAt, conditionOf, resources, type Secret } from '../../kube/client/objects.ts';
import { claimsOf, type Validity } from '../../kube/client/validity.ts';
import { heldValidity, issuedValidity } from '../../ocm/agent/agent-certificate.ts';
import { agentLife } from '../../ocm/agent/agent-life.ts';
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
import { type HubEvidence, hasJoined } from '../../ocm/hub/hub-evidence.ts';
import {
  describeOtherHub,
  missing,
  needsDecision,
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
  return { code: 'registered-elsewhere', why: describeOtherHub(foundHub), by: 'certificate' };
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
    return byToken(
      'certificate-expired',
      `the certificate of its agent expired ${formatAge(now - to)} ago`,
    );
  }
  const isRejected = foundHub?.answer?.state === 'refused' && !isAvailable;
  return isRejected ? { ...byToken('certificate-rejected'), by: 'certificate' } : undefined;
}

/** With a token about to expire, the request's certificate could no longer be fetched. */
const tokenMarginMs = 5 * 60_000;

/** Writing its bootstrap secret restarts an agent: one that works keeps it, unless the user gives another address. */
function ofSecret(wec: WecEvidence, { now, join }: ReregisterEvidence): Reregister | undefined {
  if (join === undefined) return undefined;
  const { endpoint, isGiven, isTokenRefused, isTokenShared } = join;
  const present = readHubKubeconfig(wec.bootstrapSecret);
  if (present?.token === undefined) return byToken('bootstrap-secret-missing');
  const differs =
    present.server !== endpoint.server ||
    present.certificateAuthority?.trim() !== endpoint.certificateAuthority?.trim() ||
    present.proxyUrl !== endpoint.proxyUrl;
  if (differs && isGiven) return byToken('address-given', 'another address of the ITS was given');
  const { state, bootstrap } = hubConnectionOf(wec.klusterlet);
  if (state === 'working' && wec.hubSecret !== undefined) return undefined;
  const rest = (claimsOf(present.token).expires ?? Number.POSITIVE_INFINITY) - now;
  if (rest <= 0) return byToken('token-expired', expiredToken(-rest));
  if (rest < tokenMarginMs)
    return byToken('token-expired', `the bootstrap token expires in ${formatAge(rest)}`);
  if (isTokenRefused) return byToken('token-revoked');
  if (differs && bootstrap !== 'Functional')
    return byToken(
      'hub-not-reached',
      'the address or certificate authority of the ITS has changed',
    );
  return isTokenShared && wec.hubSecret === undefined
    ? byToken('token-shared', 'its bootstrap token may have other holders')
    : undefined;
}

/** Whether the operator tried the agent's own certificate, not its bootstrap secret. */
const usesCertificate = ({ klusterlet, hubSecret }: WecEvidence) =>
  hubConnectionOf(klusterlet).config === 'Error' && hubSecret !== undefined;

/** As the operator reports it from inside the WEC: it checks again only after minutes, or when the secret changes. */
function reportedFailure(
  wec: WecEvidence,
  { now, isAvailable }: ReregisterEvidence,
): Reregister | undefined {
  const { bootstrap, config, error } = hubConnectionOf(wec.klusterlet);
  const isRefused = bootstrap === 'Error' && error.kind === 'unauthorized';
  if (isAvailable && !isRefused) return undefined;
  const given = readHubKubeconfig(wec.bootstrapSecret);
  const usesOwn = usesCertificate(wec);
  const reported = (code: ReregisterCode) => byToken(code, `${clauseOf(code)} (${error.words})`);
  if (bootstrap === 'Unauthorized' && !usesOwn) return reported('not-allowed-to-register');
  if (bootstrap === 'Missing' && wec.hubSecret === undefined && given?.token === undefined)
    return reported('bootstrap-secret-missing');
  if (bootstrap !== 'Error' && config !== 'Error') return undefined;
  const { kind, words } = error;
  if (usesOwn) {
    if (kind === 'unauthorized') return reported('certificate-rejected');
    if (kind === 'unknown-authority') return reported('authority-changed');
  }
  const expiredFor = now - (claimsOf(given?.token).expires ?? Number.POSITIVE_INFINITY);
  return kind === 'unauthorized' && expiredFor >= 0
    ? byToken('token-expired', expiredToken(expiredFor))
    : reported(whyUnreached(kind, words, given));
}

const expiredToken = (ms: number) => `the bootstrap token expired ${formatAge(ms)} ago`;

/** Causes in words; the others do not reach the hub. */
const clauses: Partial<Record<string, string>> = {
  'certificate-rejected': 'the ITS does not accept the certificate of its agent',
  'token-revoked': 'the ITS does not accept the bootstrap token',
  'bootstrap-secret-missing': 'it has no bootstrap token',
  'not-allowed-to-register': 'the bootstrap token is not allowed to register clusters',
  'authority-changed': "the hub's certificate authority has changed since it joined",
  'authority-wrong': "it was given another certificate authority than the hub's",
  'authority-missing': "it was given no certificate authority, and the hub's is not a public one",
  'hub-address-loopback':
    'it does not reach the hub: the address that it has is a loopback address, which inside a cluster is the pod itself',
};

const clauseOf = (code: string) => clauses[code] ?? 'it does not reach the hub';

const byToken = (code: Reregister['code'], why = clauseOf(code)): Reregister => ({
  code,
  why,
  by: 'token',
});

/** An address that is valid only on the machine where it was read. */
const refusedLoopback = /\b(127(\.\d+){3}|\[::1\]):\d+: connect: connection refused/;

/** Why a bootstrap kubeconfig does not lead to the hub. @param given its connection, if it is known */
export function whyUnreached(kind: ConnectionError, words: string, given: Endpoint | undefined) {
  if (kind === 'unauthorized') return 'token-revoked';
  if (kind === 'other')
    return refusedLoopback.test(words) ? 'hub-address-loopback' : 'hub-not-reached';
  return given !== undefined && given.certificateAuthority === undefined
    ? 'authority-missing'
    : 'authority-wrong';
}

/** What a check of a WEC needs to find why its agent must re-register. */
type CauseFindings = Pick<
  WecFindings,
  'name' | 'its' | 'hub' | 'wec' | 'context' | 'foundHub' | 'now'
>;

const causeOf = (findings: CauseFindings, isAskedFor: (code: string) => boolean) =>
  whyReregister(findings).find((cause): cause is ReregisterProblem => isAskedFor(cause.code));

const problemOf = (findings: CauseFindings, { code, why }: ReregisterProblem) =>
  wecProblem(
    code,
    `${findings.name} cannot connect to ${findings.its}: ${why}.`,
    ...stepsOfCode(code, findings),
  );

/** A check that finds these causes. */
const findsCause =
  (...codes: readonly string[]) =>
  (findings: CauseFindings): Problem | undefined => {
    const cause = causeOf(findings, (code) => codes.includes(code));
    return cause && problemOf(findings, cause);
  };

/** Its agent reports to another hub, whatever else is wrong. */
export const registeredElsewhere = findsCause('registered-elsewhere');
export const missingManagedCluster = findsCause('managed-cluster-missing', 'hub-rebuilt');
/** The operator reports it as one that the hub does not accept. */
export const expiredCertificate = findsCause('certificate-expired');

/** The causes that have checks of their own. */
const otherChecks = [
  'registered-elsewhere',
  'managed-cluster-missing',
  'hub-rebuilt',
  'certificate-expired',
];

/** What keeps an agent from the hub. */
export function cannotConnect(findings: WecFindings): Problem | undefined {
  const { wec, forbidden } = findings;
  // The ITS counts an agent that has lost its certificate as available until its Lease expires.
  const hasCertificate = wec?.hubSecret !== undefined || forbidden.has(resources.secrets.plural);
  if (wec === undefined || (agentLife(findings).reaches && hasCertificate) || isContradicted(wec))
    return undefined;
  const { bootstrap, config } = hubConnectionOf(wec.klusterlet);
  const cause = causeOf(findings, (code) => !otherChecks.includes(code));
  // The report is older than the removal of the certificate.
  const isOutdated = bootstrap === 'Functional' && config === 'Error' && !usesCertificate(wec);
  return cause === undefined || isOutdated ? undefined : problemOf(findings, cause);
}

function stepsOfCode(code: ReregisterCode, findings: CauseFindings) {
  const { name, its, hub, wec, context = wec?.context } = findings;
  // An agent that joined before sends a new request once it re-registers, and a user must accept it.
  const isKnown = (hub !== undefined && hasJoined(hub)) || otherChecks.includes(code);
  const target = `${name}=${context ?? 'CONTEXT'}`;
  const join = command`stellarctl wec join ${target} ${isKnown ? ['--accept'] : []} --its ${its}`;
  const joining = (line: string, note: string) => ({
    ...(context === undefined ? partial : run)(line),
    note,
  });
  if (code === 'registered-elsewhere')
    return [
      hub === undefined
        ? partial(command`stellarctl wec join ${target} --join-file FILE --replace-hub`)
        : joining(`${join} --replace-hub`, 'moves it, after showing what happens to its workloads'),
      advice(`If ${its} has that address, join it with --hub-apiserver`),
    ];
  if (code === 'not-allowed-to-register')
    return [run(command`stellarctl doctor --its ${its}`, 'See what the ITS allows')];
  if (needsDecision(code))
    return [joining(join, 'registers it again; --label sets its labels, which were lost')];
  if (needsToken(code)) return [joining(join, 'renews the token')];
  if (!code.startsWith('authority'))
    return [
      { ...partial(`${join} --hub-apiserver https://…`), note: 'the address that it reaches' },
    ];
  // What the ITS publishes may be outdated.
  const authority = partial(
    `${join} --ca-file FILE`,
    'If that changes nothing, give the authority that the hub uses',
  );
  return [joining(join, 'renews its connection'), authority];
}

/**
 * Whether a secret contradicts what a WEC's operator reports of its connection and was written since. A later write is not enough:
 * the time of the condition changes only with its status, not with its reason or message (seen with OCM 1.3.1).
 */
function isContradicted({ klusterlet, bootstrapSecret, hubSecret }: WecEvidence) {
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
