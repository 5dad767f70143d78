import { bootstrapRequests, type HubEvidence } from '../ocm/hub-evidence.ts';
import type { FoundHub } from '../ocm/registered-hub.ts';
import type { RegistrationRequest } from '../ocm/registration-requests.ts';
import type { WecEvidence } from '../ocm/wec-evidence.ts';

/** The causes for which an agent must re-register, and those that its ITS shows. A list of WECs loads no more. */

/** What of an agent is out of date, by the problem that shows it; `decision`: a user decides what to do. */
const causes = {
  'registered-elsewhere': 'decision',
  'hub-rebuilt': 'decision',
  'not-allowed-to-register': 'decision',
  'managed-cluster-missing': 'decision',
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
  'hub-timeout': 'address',
  'hub-not-reached': 'address',
  'too-many-requests': 'requests',
  'not-announced': 'announcement',
} as const;

export type ReregisterCode = keyof typeof causes;

const has = (code: string, what: string): boolean =>
  Object.hasOwn(causes, code) && causes[code as ReregisterCode] === what;

/** Whether a new token resolves a problem. */
export const needsToken = (code: string): boolean => has(code, 'credentials');

/** Whether a user decides what to do: what the ITS of an agent has not is deleted some time after the agent has joined it. */
export const needsDecision = (code: string): boolean => has(code, 'decision');

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

interface OnIts {
  hub: HubEvidence | undefined;
  wec: Pick<WecEvidence, 'hubSecret'> | undefined;
  foundHub?: FoundHub | undefined;
  now: number;
}

/** An agent announces itself with its request. If the hub's webhook denies it, it retries only after hours or when it restarts. */
export const announcementGraceMs = 30_000;

/** Its ManagedCluster has been deleted, or the certificate was issued too early (ocm pkg/registration/spoke). */
export function missing({ hub, wec, foundHub, now }: OnIts): Reregister | undefined {
  if (hub === undefined || hub.managedCluster !== undefined) return undefined;
  const asked = bootstrapRequests(hub).at(-1);
  const isIssued = asked?.state === 'issued' && now - (asked.decided ?? asked.created) >= announcementGraceMs;
  if (wec === undefined ? !isIssued : wec.hubSecret === undefined) return undefined;
  const code = foundHub?.relation === 'same-address' ? 'hub-rebuilt' : 'managed-cluster-missing';
  return { code, why: 'its agent has a certificate, and the ITS has no ManagedCluster of it', by: 'certificate' };
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

export const tooManyRequests = (hub: HubEvidence): ReregisterProblem | undefined =>
  pendingRequests(hub).length < requestsAtMost
    ? undefined
    : { code: 'too-many-requests', why: 'its agent sends no more requests', by: 'token' };
