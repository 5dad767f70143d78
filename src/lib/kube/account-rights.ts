import type { Kube, Permission } from './client/client.ts';
import { resources } from './resources.ts';

/** A service account. */
export interface Account {
  namespace: string;
  name: string;
}

export const userOf = ({ namespace, name }: Account): string => `system:serviceaccount:${namespace}:${name}`;

/**
 * Whether a service account may do something (SubjectAccessReview): not a write. Every token of it has these groups
 * (kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin).
 */
export async function mayAccount(kube: Kube, account: Account, permission: Permission): Promise<boolean> {
  const { apiVersion, kind } = resources.subjectAccessReviews;
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`, 'system:authenticated'];
  const body = { apiVersion, kind, spec: { user: userOf(account), groups, resourceAttributes: permission } };
  return (await kube.review<{ status?: { allowed?: boolean } }>(body)).status?.allowed === true;
}
