import type { Kube } from './client/client.ts';
import { ApiError } from './client/errors.ts';
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
  try {
    const { status } = await kube.create<{ status?: Partial<RequestedToken> }>(resources.serviceAccounts, body, {
      ...{ namespace, name },
      subresource: 'token',
    });
    return { token: status?.token, expirationTimestamp: status?.expirationTimestamp };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
