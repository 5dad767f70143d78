import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { run } from '../../engine/next-step.ts';
import type { Kube } from '../../kube/client/client.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import { requestToken } from '../../kube/service-accounts.ts';
import { bootstrapServiceAccounts, operatorNamespace } from '../names.ts';

export interface BootstrapToken {
  token: string;
  expires: Date;
  serviceAccount: string;
}

/** The API server refuses shorter ones (TokenRequest, spec.expirationSeconds). */
export const shortestTokenSeconds = 600;
const defaultTokenSeconds = 3600;

/**
 * Requests from the ITS a token of its bootstrap service account, with which an agent registers. A hub older than OCM 0.11 has that
 * account under another name. A dry run requests nothing and the token is a placeholder.
 * @throws StellarError `not-found` if the ITS has no such account
 */
export async function requestBootstrapToken(
  kube: Kube,
  seconds = defaultTokenSeconds,
  accounts: readonly string[] = bootstrapServiceAccounts,
): Promise<BootstrapToken> {
  for (const serviceAccount of accounts) {
    const answer = await requestToken(kube, { namespace: operatorNamespace, name: serviceAccount }, seconds);
    if (answer === undefined) continue;
    const { token = '(token)', expirationTimestamp = Date.now() + seconds * 1000 } = answer;
    return { token, expires: new Date(expirationTimestamp), serviceAccount };
  }
  throw new StellarError(
    'not-found',
    `${describeCluster(kube.cluster)} has no bootstrap service account: neither ${accounts.join(' nor ')} in namespace ${operatorNamespace}.`,
    {
      next: [
        run(
          command`kubectl --context ${kube.cluster.context} -n ${operatorNamespace} get serviceaccounts,pods`,
          'Is OCM still being installed?',
        ),
      ],
    },
  );
}

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
