import { command } from '../../engine/command-line.ts';
import { formatAge } from '../../engine/duration.ts';
import { noted, outline, run } from '../../engine/next-step.ts';
import type { Evidence, Problem } from '../../engine/problem.ts';
import { byCondition, byField } from '../../kube/evidence.ts';
import { changedAt, conditionOf, type Secret } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import { tokenExpiry } from '../../kube/tokens.ts';
import { readHubKubeconfig } from '../klusterlet/agent.ts';
import { wecProblem } from '../problems.ts';
import { type ConnectionError, hubConnectionOf, hubConnectionType } from '../registration/hub-connection.ts';
import { hasJoined } from '../registration/hub-evidence.ts';
import type { WecEvidence } from '../registration/wec-evidence.ts';
import { isAvailable } from './diagnosis.ts';
import type { Findings } from './findings.ts';

/** What keeps an agent from the hub, as its operator reports it from inside the WEC. */
export function cannotConnect(findings: Findings): Problem | undefined {
  const { hub, wec, forbidden, name, its } = findings;
  const isJoined = hub !== undefined && hasJoined(hub);
  // The ITS counts an agent that has lost its certificate as available until its Lease expires.
  const hasCertificate = wec?.hubSecret !== undefined || forbidden.has(resources.secrets.plural);
  if (wec === undefined || (isJoined && isAvailable(hub) && hasCertificate) || contradiction(wec)) return undefined;
  const { state, bootstrap, own, error } = hubConnectionOf(wec.klusterlet);
  if (state !== 'degraded') return undefined;
  // An agent that joined before sends a new request once its connection is renewed, and a user must accept it.
  const accept = isJoined ? ['--accept'] : [];
  const join = command`stellarctl wec join ${`${name}=${wec.context}`} ${accept} --its ${its}`;
  const usesOwn = own === 'Error' && wec.hubSecret !== undefined;
  if (usesOwn || bootstrap === 'Error')
    return problemOf(error.kind, { name, its, join, words: error.words, usesOwn, ...bootstrapOf(findings) });
  if (bootstrap === 'Unauthorized') {
    return wecProblem(
      'not-allowed-to-register',
      `The bootstrap token of ${name} is accepted, but not allowed to register clusters: ${error.words}.`,
      run(command`stellarctl doctor --its ${its}`, 'See what the ITS allows'),
    );
  }
  if (bootstrap !== 'Missing' || wec.hubSecret !== undefined) return undefined;
  const message = `The bootstrap secret of ${name} is missing, so that its agent cannot start.`;
  return wecProblem('bootstrap-secret-missing', message, run(join));
}

interface Facts {
  name: string;
  its: string;
  /** The command that writes the connection again. */
  join: string;
  /** The operator's message. */
  words: string;
  /** With its own certificate, not with the bootstrap secret. */
  usesOwn: boolean;
  /** Of the bootstrap secret: how long ago its token expired, in milliseconds; whether it names a certificate authority. */
  expiredFor: number | undefined;
  hasAuthority: boolean;
}

function bootstrapOf({ wec, now }: Findings): Pick<Facts, 'expiredFor' | 'hasAuthority'> {
  const hub = readHubKubeconfig(wec?.bootstrapSecret);
  const expiry = tokenExpiry(hub?.token ?? '')?.getTime();
  return {
    expiredFor: expiry === undefined || expiry > now ? undefined : now - expiry,
    hasAuthority: hub === undefined || hub.certificateAuthority !== undefined,
  };
}

/** The problem is the hub's address; the operator's message shows which one. */
const codes = {
  'other-name': 'certificate-of-other-name',
  unresolvable: 'hub-unresolvable',
  refused: 'hub-refuses',
  'no-answer': 'hub-silent',
  other: 'hub-not-reached',
} as const;

/** An address that is valid only on the machine where it was read. */
const loopback = /\b(127(\.\d+){3}|\[::1\]):\d+: connect: connection refused/;

function problemOf(kind: ConnectionError, facts: Facts): Problem {
  const { name, join, words, usesOwn } = facts;
  const renew = noted(join, 'renews its connection');
  // What the ITS publishes may be outdated.
  const given = outline(`${join} --ca-file FILE`, 'If that changes nothing, give the authority that the hub uses');
  switch (kind) {
    case 'unknown-authority':
      if (usesOwn) {
        const message = `The hub's certificate authority has changed since ${name} joined.`;
        return wecProblem('authority-changed', message, renew, given);
      }
      return facts.hasAuthority
        ? wecProblem('authority-wrong', `${name} was given another certificate authority than the hub's.`, renew, given)
        : wecProblem(
            'authority-missing',
            `${name} was given no certificate authority, and the hub's is not a public one.`,
            ...[renew, given],
          );
    case 'unauthorized':
      return refusedCredentials(facts);
    default: {
      const elsewhere = { ...outline(`${join} --hub-apiserver https://…`), note: 'the address that it reaches' };
      return loopback.test(words)
        ? wecProblem(
            'hub-address-loopback',
            `${name} does not reach the hub: the address that it has is a loopback address, which inside a cluster is the pod itself: ${words}.`,
            elsewhere,
          )
        : wecProblem(codes[kind], `${name} does not reach the hub: ${words}.`, elsewhere);
    }
  }
}

function refusedCredentials({ name, its, join, usesOwn, expiredFor }: Facts): Problem {
  const renew = noted(join, 'renews the token');
  if (usesOwn) return wecProblem('certificate-rejected', `${its} no longer accepts the certificate of ${name}.`, renew);
  return expiredFor === undefined
    ? wecProblem(
        'token-revoked',
        `${its} no longer accepts the bootstrap token of ${name}, which has not expired: it was revoked, or its service account was recreated.`,
        renew,
      )
    : wecProblem('token-expired', `The bootstrap token of ${name} expired ${formatAge(expiredFor)} ago.`, renew);
}

/**
 * The secret that contradicts what a WEC's operator reports of its connection and was written since. A later write is not enough:
 * the time of the condition changes only with its status, not with its reason or message (seen with OCM 1.3.1).
 */
function contradiction({ klusterlet, bootstrapSecret, hubSecret }: WecEvidence): Secret | undefined {
  const { state, bootstrap, own, error } = hubConnectionOf(klusterlet);
  const since = Date.parse(conditionOf(klusterlet, hubConnectionType)?.lastTransitionTime ?? '');
  const isNewer = (secret: Secret | undefined) => secret !== undefined && changedAt(secret) > since;
  const isElsewhere = (secret: Secret | undefined) => {
    const server = readHubKubeconfig(secret)?.server;
    return error.server !== undefined && server !== undefined && new URL(server).origin !== error.server;
  };
  if (state !== 'degraded') return undefined;
  const isMissing = own === 'SecretMissing' || own === 'Missing';
  const hasCertificate = hubSecret?.data?.['tls.crt'] !== undefined && readHubKubeconfig(hubSecret) !== undefined;
  if (isMissing && hasCertificate && isNewer(hubSecret)) return hubSecret;
  if (own === 'Error' && bootstrap === 'Functional' && isElsewhere(hubSecret) && isNewer(hubSecret)) return hubSecret;
  const isThere = bootstrap === 'Missing' && readHubKubeconfig(bootstrapSecret) !== undefined;
  const isOther = bootstrap === 'Error' && isElsewhere(bootstrapSecret);
  return (isThere || isOther) && isNewer(bootstrapSecret) ? bootstrapSecret : undefined;
}

/** The operator's report is outdated and there is nothing newer: the connection is neither good nor broken. */
export function outdatedReport({ hub, wec, now, name, its }: Findings): Problem | undefined {
  const secret = wec && contradiction(wec);
  if (wec === undefined || secret === undefined || (hub !== undefined && isAvailable(hub))) return undefined;
  return wecProblem(
    'operator-word-outdated',
    `What the operator of ${name} reports about its connection was contradicted by Secret ${secret.metadata.name} ${formatAge(now - changedAt(secret))} ago.`,
    run(command`stellarctl doctor ${`${name}=${wec.context}`} --recheck --its ${its}`, 'Make it check again'),
  );
}

/** The evidence: the condition, and what is newer. */
export function byContradiction({ wec }: Findings): Evidence[] {
  const secret = wec && contradiction(wec);
  if (wec === undefined || secret === undefined) return [];
  const since = new Date(changedAt(secret)).toISOString();
  return [
    ...byCondition('Klusterlet', wec.klusterlet, hubConnectionType, wec.context),
    byField('Secret', secret, 'changed', wec.context, { since }),
  ];
}
