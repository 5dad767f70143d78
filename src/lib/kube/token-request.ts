import type { Kube } from './client/client.ts';
import { unlessStatus } from './client/errors.ts';
import { resources } from './resources.ts';

/** A service account of a cluster. */
export interface ServiceAccountRef {
  namespace: string;
  name: string;
}

/** What an API server answers to a TokenRequest. In a dry run nothing is asked, and both are undefined. */
export interface RequestedToken {
  token: string | undefined;
  /** RFC 3339. API servers cap what is asked for (--service-account-max-token-expiration). */
  expirationTimestamp: string | undefined;
}

/**
 * Asks a cluster for a token of one of its service accounts (authentication.k8s.io/v1 TokenRequest): a write, also in a dry run.
 * @returns undefined where there is no such account
 */
export async function requestToken(
  kube: Kube,
  { namespace, name }: ServiceAccountRef,
  seconds: number,
): Promise<RequestedToken | undefined> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: seconds } };
  const where = { namespace, name, subresource: 'token' };
  const asking = kube.create<{ status?: Partial<RequestedToken> }>(resources.serviceAccounts, body, where);
  const answer = await unlessStatus(asking, 404);
  return answer && { token: answer.status?.token, expirationTimestamp: answer.status?.expirationTimestamp };
}
