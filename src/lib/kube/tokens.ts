/**
 * When a token expires, as far as it shows: the `exp` of a JSON Web Token (RFC 7519). Not verified: only the API server can do
 * that. Undefined for tokens without it, such as kubeadm's `id.secret`.
 */
export function tokenExpiry(token: string): Date | undefined {
  const { exp } = claimsOf(token);
  return typeof exp === 'number' ? new Date(exp * 1000) : undefined;
}

/** When a token was issued, its `iat`; undefined for tokens without it. */
export function tokenIssue(token: string): Date | undefined {
  const { iat } = claimsOf(token);
  return typeof iat === 'number' ? new Date(iat * 1000) : undefined;
}

/** The id of a token, its `jti`; undefined for tokens without it. */
export function tokenId(token: string): string | undefined {
  const { jti } = claimsOf(token);
  return typeof jti === 'string' ? jti : undefined;
}

/** The user of a token, its `sub`; undefined for tokens without it. */
export function tokenUser(token: string): string | undefined {
  const { sub } = claimsOf(token);
  return typeof sub === 'string' ? sub : undefined;
}

/** The UID of the service account of a token (kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin). */
export function accountUid(token: string): string | undefined {
  const claims = claimsOf(token)['kubernetes.io'] as { serviceaccount?: { uid?: unknown } } | undefined;
  const uid = claims?.serviceaccount?.uid;
  return typeof uid === 'string' ? uid : undefined;
}

function claimsOf(token: string): Record<string, unknown> {
  const payload = token.split('.')[1];
  if (token.split('.').length !== 3 || payload === undefined) return {};
  try {
    return (JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<string, unknown> | null) ?? {};
  } catch {
    return {};
  }
}
