import { command } from '../core/command-line.ts';
import { formatAge } from '../core/deadline.ts';
import { type NextStep, noted, type Problem, partial, run } from '../core/next-step.ts';
import { changedAt, conditionOf, type Secret } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { hubConnectionOf, hubConnectionType, isOfOtherServer } from '../ocm/hub-connection.ts';
import { hasJoined, isAvailable } from '../ocm/hub-evidence.ts';
import { readHubKubeconfig } from '../ocm/klusterlet-agent.ts';
import type { WecEvidence } from '../ocm/wec-evidence.ts';
import type { WecFindings } from './findings.ts';
import { wecProblem } from './problems.ts';
import { usesCertificate, whyReregister } from './reregister.ts';
import { needsToken, type Reregister, type ReregisterCode, type ReregisterProblem } from './reregister-causes.ts';

/** The checks of a WEC that show why its agent must re-register. */

/** The first cause of these codes. */
const causeOf = (findings: WecFindings, ...codes: readonly ReregisterCode[]): ReregisterProblem | undefined =>
  whyReregister(findings).find((cause): cause is ReregisterProblem => codes.some((code) => code === cause.code));

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
  const why = foundHub?.answer?.state === 'accepted' ? `and nothing proves that this is ${its}` : `not with ${its}`;
  const message = `The cluster of context ${wec.context} is registered as ${name} with the hub ${foundHub?.hub.server}, ${why}.`;
  const move = command`stellarctl wec join ${`${name}=${wec.context}`} --accept --its ${its} --replace-hub`;
  return wecProblem(cause.code, message, noted(move, 'moves it, after showing what happens to its workloads'));
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
  return wecProblem(cause.code, message, joinOf(findings, ['--accept'], 'makes it request another one'));
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
  'authority-changed': ({ name }) => `The hub's certificate authority has changed since ${name} joined.`,
  'authority-wrong': ({ name }) => `${name} was given another certificate authority than the hub's.`,
  'authority-missing': ({ name }) => `${name} was given no certificate authority, and the hub's is not a public one.`,
  'hub-address-loopback': ({ name, words }) =>
    `${name} does not reach the hub: the address that it has is a loopback address, which inside a cluster is the pod itself: ${words}.`,
};
const notReached: Sentence = ({ name, words }) => `${name} does not reach the hub: ${words}.`;

/** The causes that have checks of their own. */
const otherChecks = ['registered-elsewhere', 'managed-cluster-missing', 'hub-rebuilt', 'certificate-expired'];

/** What keeps an agent from the hub. */
export function cannotConnect(findings: WecFindings): Problem | undefined {
  const { hub, wec, forbidden, name, its } = findings;
  const isJoined = hub !== undefined && hasJoined(hub);
  // The ITS counts an agent that has lost its certificate as available until its Lease expires.
  const hasCertificate = wec?.hubSecret !== undefined || forbidden.has(resources.secrets.plural);
  if (wec === undefined || (isJoined && isAvailable(hub) && hasCertificate) || isContradicted(wec)) return undefined;
  const { bootstrap, config, error } = hubConnectionOf(wec.klusterlet);
  const cause = whyReregister(findings).find(isProblem);
  // The report is older than the removal of the certificate.
  const isOutdated = bootstrap === 'Functional' && config === 'Error' && !usesCertificate(wec);
  if (cause === undefined || isOutdated) return undefined;
  // An agent that joined before sends a new request once it re-registers, and a user must accept it.
  const join = command`stellarctl wec join ${`${name}=${wec.context}`} ${isJoined ? ['--accept'] : []} --its ${its}`;
  const given = { name, its, words: error.words, expired: formatAge(cause.expiredFor ?? 0) };
  const says = sentences[cause.code] ?? notReached;
  return wecProblem(cause.code, says(given), ...stepsFor(cause.code, join, its));
}

const isProblem = (cause: Reregister): cause is ReregisterProblem => !otherChecks.includes(cause.code);

function stepsFor(code: ReregisterCode, join: string, its: string): NextStep[] {
  if (code === 'not-allowed-to-register')
    return [run(command`stellarctl doctor --its ${its}`, 'See what the ITS allows')];
  if (code === 'bootstrap-secret-missing') return [run(join)];
  if (needsToken(code)) return [noted(join, 'renews the token')];
  if (!code.startsWith('authority'))
    return [{ ...partial(`${join} --hub-apiserver https://…`), note: 'the address that it reaches' }];
  // What the ITS publishes may be outdated.
  const authority = partial(`${join} --ca-file FILE`, 'If that changes nothing, give the authority that the hub uses');
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
  const hasCertificate = hubSecret?.data?.['tls.crt'] !== undefined && readHubKubeconfig(hubSecret) !== undefined;
  if (isMissing && hasCertificate && isNewer(hubSecret)) return true;
  if (config === 'Error' && bootstrap === 'Functional' && isOfOtherServer(error, hubSecret) && isNewer(hubSecret))
    return true;
  const isThere = bootstrap === 'Missing' && readHubKubeconfig(bootstrapSecret) !== undefined;
  const isOther = bootstrap === 'Error' && isOfOtherServer(error, bootstrapSecret);
  return (isThere || isOther) && isNewer(bootstrapSecret);
}
