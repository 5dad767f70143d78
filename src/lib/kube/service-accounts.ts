import { StellarError } from '../core/errors.ts';
import { isToken } from '../core/object-names.ts';
import type { Kube, Permission } from './client/client.ts';
import { describeCluster, unlessStatus } from './client/errors.ts';
import { resources, type TokenRequest } from './client/objects.ts';

/** A service account of a cluster. */
export interface Account {
  namespace: string;
  name: string;
}

export const userOf = ({ namespace, name }: Account) =>
  `system:serviceaccount:${namespace}:${name}`;

/**
 * Whether a service account may do something (SubjectAccessReview): not a write. Every token of it has these groups
 * (kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin).
 */
export async function mayAccount(
  kube: Kube,
  account: Account,
  permission: Permission,
): Promise<boolean> {
  const { apiVersion, kind } = resources.subjectAccessReviews;
  const groups = [
    'system:serviceaccounts',
    `system:serviceaccounts:${account.namespace}`,
    'system:authenticated',
  ];
  const body = {
    apiVersion,
    kind,
    spec: { user: userOf(account), groups, resourceAttributes: permission },
  };
  return (await kube.review<{ status?: { allowed?: boolean } }>(body)).status?.allowed === true;
}

/**
 * Requests a token for a service account of a cluster (authentication.k8s.io/v1 TokenRequest): a write, also in a dry run, which
 * requests nothing. API servers cap the requested expiry (--service-account-max-token-expiration).
 * @returns without a token in a dry run; undefined if the service account is not found
 */
export async function requestToken(
  kube: Kube,
  { namespace, name }: Account,
  seconds: number,
): Promise<TokenRequest['status']> {
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: seconds },
  };
  const where = { namespace, name, subresource: 'token' };
  const asking = kube.create<TokenRequest>(resources.serviceAccounts, body, where);
  const answer = await unlessStatus(asking, 404);
  const { token } = answer?.status ?? {};
  // It becomes part of kubeconfigs.
  if (token !== undefined && !isToken(token))
    throw new StellarError(
      'api-error',
      `${describeCluster(kube.cluster)} has answered with what is not a token.`,
    );
  return answer && (answer.status ?? {});
}
