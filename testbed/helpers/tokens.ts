import { createHash, createPublicKey, randomUUID, sign } from 'node:crypto';
import { serviceAccounts } from '../kube/resources.ts';
import { operatorNamespace } from '../ocm/names.ts';
import type { Plane } from '../plane/plane.ts';
import { serviceAccountIssuer } from '../plane/servers.ts';

/** The service account that agents bootstrap with, as key. */
export const bootstrapAccount = `${operatorNamespace}/agent-registration-bootstrap`;

/** A token of a hub's bootstrap service account, from the API server. */
export function requestBootstrapToken(plane: Plane, expirationSeconds = 3600): Promise<string> {
  return requestToken(plane, bootstrapAccount, expirationSeconds);
}

/** A token of a service account, from the API server. */
export async function requestToken(
  { admin }: Plane,
  account: string,
  expirationSeconds = 3600,
): Promise<string> {
  const { status } = await admin.post<{ status: { token: string } }>(
    serviceAccounts,
    account,
    'token',
    { spec: { expirationSeconds } },
  );
  return status.token;
}

/** Invalidates all tokens of a service account, at most 10 s later: its successor has another UID. */
export async function renewAccount({ admin }: Plane, account: string): Promise<void> {
  const [namespace = '', name = ''] = account.split('/');
  await admin.delete(serviceAccounts, account);
  await admin.ensure(serviceAccounts, { metadata: { namespace, name } });
}

/**
 * A token of a service account as the API server would sign it, with any lifetime: it issues none under ten minutes. A negative
 * lifetime creates an expired token.
 */
export async function mintToken(
  plane: Plane,
  account: string,
  lifeSeconds: number,
): Promise<string> {
  const { metadata } = await plane.admin.get(serviceAccounts, account);
  const { namespace, name, uid } = metadata;
  const now = Math.floor(Date.now() / 1000);
  const issued = Math.min(now, now + lifeSeconds) - 600;
  const header = { alg: 'ES256', kid: keyId(plane.tokenKeyPem) };
  const claims = {
    aud: [serviceAccountIssuer],
    exp: now + lifeSeconds,
    iat: issued,
    nbf: issued,
    iss: serviceAccountIssuer,
    jti: randomUUID(),
    sub: `system:serviceaccount:${namespace}:${name}`,
    'kubernetes.io': { namespace, serviceaccount: { name, uid } },
  };
  const text = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(text), {
    key: plane.tokenKeyPem,
    dsaEncoding: 'ieee-p1363',
  });
  return `${text}.${signature.toString('base64url')}`;
}

/** A token that was valid until a minute ago. */
export function expiredToken(plane: Plane, account = bootstrapAccount): Promise<string> {
  return mintToken(plane, account, -60);
}

/** The name of a signing key, as the API server derives it: the digest of the public key. */
function keyId(privatePem: string): string {
  const der = createPublicKey(privatePem).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('base64url');
}
