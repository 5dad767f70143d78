import { X509Certificate } from 'node:crypto';
import { formatAge } from '../../core/deadline.ts';
import { type NextStep, type Problem, problem } from '../../core/next-step.ts';
import { jsonObject } from '../../core/text/formats.ts';
import type { UserEntry } from '../kubeconfig/kubeconfig.ts';

/**
 * What a JSON Web Token shows of itself (RFC 7519), times in milliseconds since the epoch. Not verified: only the API server can do that.
 * All is undefined for tokens without it, such as kubeadm's `id.secret`.
 */
export function claimsOf(token = '') {
  const [, payload = '', ...rest] = token.split('.');
  const claims: Record<string, unknown> =
    (rest.length === 1 && jsonObject(Buffer.from(payload, 'base64url').toString('utf8'))) || {};
  const account = claims['kubernetes.io'] as { serviceaccount?: { uid?: unknown } } | undefined;
  return {
    issued: timeOf(claims.iat),
    expires: timeOf(claims.exp),
    id: textOf(claims.jti),
    user: textOf(claims.sub),
    /** The UID of its service account (kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin). */
    accountUid: textOf(account?.serviceaccount?.uid),
  };
}

const timeOf = (claim: unknown): number | undefined =>
  typeof claim === 'number' ? claim * 1000 : undefined;
const textOf = (claim: unknown) => (typeof claim === 'string' ? claim : undefined);

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
  const { token, 'client-certificate-data': data } = user;
  const { issued: from = Number.NEGATIVE_INFINITY, expires: to } = claimsOf(token);
  const ofToken = to === undefined ? [] : [{ what: 'token', from, to }];
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
