import { jsonObject } from '../../core/formats.ts';

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
  const claims = claimsOf(token)['kubernetes.io'] as { serviceaccount?: { uid?: unknown } } | undefined;
  return stringClaim(claims?.serviceaccount?.uid);
}

const dateOf = (claim: unknown): Date | undefined => (typeof claim === 'number' ? new Date(claim * 1000) : undefined);
const stringClaim = (claim: unknown): string | undefined => (typeof claim === 'string' ? claim : undefined);

function claimsOf(token: string): Record<string, unknown> {
  const [, payload = '', ...rest] = token.split('.');
  return (rest.length === 1 && jsonObject(Buffer.from(payload, 'base64url').toString('utf8'))) || {};
}
