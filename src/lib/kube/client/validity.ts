import { X509Certificate } from 'node:crypto';
import { formatAge } from '../../core/deadline.ts';
import { type NextStep, type Problem, problem } from '../../core/next-step.ts';
import { jsonObject } from '../../core/text/formats.ts';
import type { UserEntry } from '../kubeconfig/kubeconfig.ts';

/**
 * When a token expires, as far as it shows: the `exp` of a JSON Web Token (RFC 7519). Not verified: only the API server can do
 * that. Undefined for tokens without it, such as kubeadm's `id.secret`.
 */
export const tokenExpiry = (token: string): Date | undefined => dateOf(claimsOf(token).exp);

/** When a token was issued, its `iat`; undefined for tokens without it. */
export const tokenIssue = (token: string): Date | undefined => dateOf(claimsOf(token).iat);

/** The id of a token, its `jti`; undefined for tokens without it. */
export const tokenId = (token: string): string | undefined => stringClaim(claimsOf(token).jti);

/** The user of a token, its `sub`; undefined for tokens without it. */
export const tokenUser = (token: string): string | undefined => stringClaim(claimsOf(token).sub);

/** The UID of the service account of a token (kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin). */
export function accountUid(token: string): string | undefined {
  const claims = claimsOf(token)['kubernetes.io'] as
    | { serviceaccount?: { uid?: unknown } }
    | undefined;
  return stringClaim(claims?.serviceaccount?.uid);
}

const dateOf = (claim: unknown): Date | undefined =>
  typeof claim === 'number' ? new Date(claim * 1000) : undefined;
const stringClaim = (claim: unknown): string | undefined =>
  typeof claim === 'string' ? claim : undefined;

function claimsOf(token: string): Record<string, unknown> {
  const [, payload = '', ...rest] = token.split('.');
  return (
    (rest.length === 1 && jsonObject(Buffer.from(payload, 'base64url').toString('utf8'))) || {}
  );
}

/** From when to when something is valid, in milliseconds since the epoch. */
export interface Validity {
  from: number;
  to: number;
}

/** What ends by itself, in words without an article. */
export type Ending = Validity & { what: string };

export const validityOf = ({ validFromDate, validToDate }: X509Certificate): Validity => ({
  from: validFromDate.getTime(),
  to: validToDate.getTime(),
});

/** How long the credentials in the entry of a user are valid; nothing of those that are renewed by files or programs. */
export function validitiesOf(user: UserEntry): Ending[] {
  const { token = '', 'client-certificate-data': data } = user;
  const from = tokenIssue(token);
  const to = tokenExpiry(token);
  const begins = from?.getTime() ?? Number.NEGATIVE_INFINITY;
  const ofToken = to === undefined ? [] : [{ what: 'token', from: begins, to: to.getTime() }];
  const ofCertificate = data ? certificateValidity(Buffer.from(data, 'base64')) : undefined;
  return [...ofToken, ...(ofCertificate ? [{ what: 'client certificate', ...ofCertificate }] : [])];
}

/** @param certificate PEM or DER @returns undefined if it cannot be read */
export function certificateValidity(certificate: Buffer): Validity | undefined {
  try {
    return validityOf(new X509Certificate(certificate));
  } catch {
    return undefined;
  }
}

const day = 86_400_000;

/** What ends first of what ends soon: with less than a third of its lifetime or 30 days left; urgent with a tenth or 7 days. */
function endingSoon(
  all: readonly Ending[],
  now: number,
): (Ending & { isUrgent: boolean }) | undefined {
  const isWithin = ({ from, to }: Validity, part: number, days: number) =>
    to - now < Math.min((to - from) / part, days * day);
  const [first] = all.filter((each) => isWithin(each, 3, 30)).sort((a, b) => a.to - b.to);
  return first && { ...first, isUrgent: isWithin(first, 10, 7) };
}

/** The problem with what ends first; undefined if nothing ends soon. @param of whose it is @param renewals what renews it */
export function endingProblem(
  of: string,
  all: readonly Ending[],
  now: number,
  renewals: readonly NextStep[],
): Problem | undefined {
  const ending = endingSoon(all, now);
  if (ending === undefined) return undefined;
  const { what, to, isUrgent } = ending;
  const end = to > now ? `ends in ${formatAge(to - now)}` : `ended ${formatAge(now - to)} ago`;
  const found = problem('validity-ending', `The ${what} of ${of} ${end}.`, ...renewals);
  return isUrgent ? found : { ...found, severity: 'warn' };
}
