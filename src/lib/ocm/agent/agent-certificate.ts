import { createPrivateKey, X509Certificate } from 'node:crypto';
import { partialReader } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { ApiError, unlessStatus } from '../../kube/client/errors.ts';
import { certificatesIn } from '../../kube/client/kubeflex-certificate.ts';
import { type ConfigMap, resources, type Secret, typeMeta } from '../../kube/client/objects.ts';
import { certificateValidity, type Validity, validityOf } from '../../kube/client/validity.ts';
import { identityOf } from '../model/ocm-names.ts';

/** A hub's answer to the key and certificate that a WEC's agent holds. */
export type CertificateAnswer =
  /** The hub knows their holder under this user name. */
  | { state: 'accepted'; username: string }
  /** The hub does not accept them: issued by another hub, or expired. */
  | { state: 'refused'; expired: Date | undefined }
  | { state: 'none'; why: string };

/** Whether a user name is that of an agent of a WEC (ocm, pkg/registration/register/csr). */
export const isAgentOf = (wec: string, username: string) =>
  username.startsWith(`${identityOf(wec)}:`);

/**
 * Presents the key and certificate of a WEC's hub-kubeconfig-secret to a hub, over the connection of the hub's own context. The key
 * is not sent: TLS proves possession. The review shows only the holder's name; the answer is the API server's own.
 * (authentication.k8s.io/v1 SelfSubjectReview, served since Kubernetes 1.28; before that an access review, which any user may send,
 * distinguishes an accepted certificate from a refused one.)
 */
export async function presentCertificate(
  hub: Kube,
  secret: Secret | undefined,
): Promise<CertificateAnswer> {
  if (secret === undefined) return { state: 'none', why: 'its agent has no certificate' };
  const { 'tls.crt': certificate, 'tls.key': key } = secret.data ?? {};
  const parsed = readPair(secret);
  if (parsed === undefined)
    return { state: 'none', why: 'the certificate and key of its agent cannot be read' };
  const asAgent = hub.fork({
    user: { 'client-certificate-data': certificate, 'client-key-data': key },
  });
  try {
    return { state: 'accepted', username: (await userName(asAgent)) ?? commonNameOf(parsed) };
  } catch (error) {
    // Every authenticated user may create this review: the certificate did not arrive, as with a proxy that ends TLS.
    if (error instanceof ApiError && error.status === 403)
      return { state: 'none', why: 'the ITS does not see the certificate of its agent' };
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    const end = parsed.validToDate;
    return { state: 'refused', expired: end.getTime() < hub.now() ? end : undefined };
  } finally {
    asAgent.close();
  }
}

/** The validity of the certificate that a WEC's agent holds; undefined if there is none, or it cannot be read. */
export function heldValidity(secret: Secret | undefined): Validity | undefined {
  const pair = readPair(secret);
  return pair && validityOf(pair);
}

/** The validity of a certificate that a hub has issued. @param certificate PEM, base64 */
export const issuedValidity = (certificate: string | undefined): Validity | undefined =>
  certificate === undefined ? undefined : certificateValidity(Buffer.from(certificate, 'base64'));

/**
 * Whether a hub has issued a WEC's certificate, expired or not. The hub publishes the authorities from which it accepts clients
 * (kube-system/extension-apiserver-authentication).
 * @returns undefined if they may not be read
 */
export async function isIssuedBy(
  hub: Kube,
  secret: Secret | undefined,
): Promise<boolean | undefined> {
  const parsed = readPair(secret);
  if (parsed === undefined) return false;
  const name = 'extension-apiserver-authentication';
  const published = await partialReader(hub).get<ConfigMap>(resources.configMaps, name, {
    namespace: 'kube-system',
  });
  const authorities = published?.data?.['client-ca-file'];
  if (authorities === undefined) return undefined;
  return certificatesIn(authorities).some(
    (issuer) => parsed.checkIssued(issuer) && parsed.verify(issuer.publicKey),
  );
}

/** Whether a hub refuses a bootstrap token: its service account was deleted or recreated, or the token has expired. */
export async function isTokenRefused(hub: Kube, token: string): Promise<boolean> {
  const asAgent = hub.fork({ user: { token } });
  const asking = userName(asAgent).then(() => false);
  return (await unlessStatus(asking, 401).finally(() => asAgent.close())) ?? true;
}

/** The name of this user there. @returns undefined if the server does not report names; it has accepted the user then as well */
export async function userName(kube: Kube): Promise<string | undefined> {
  const body = typeMeta(resources.selfSubjectReviews);
  const asking = kube.review<{ status?: { userInfo?: { username?: string } } }>(body);
  const review = await unlessStatus(asking, 404);
  if (review !== undefined) return review.status?.userInfo?.username ?? '';
  await kube.mayI({ verb: 'get', group: '', resource: 'namespaces' });
  return undefined;
}

const names = new WeakMap<Kube, Promise<string>>();

/** The name of this user there, read once for each client; empty if it cannot be read. */
export function nameOnce(kube: Kube): Promise<string> {
  const known =
    names.get(kube) ??
    userName(kube).then(
      (name) => name ?? '',
      () => '',
    );
  names.set(kube, known);
  return known;
}

function readPair(secret: Secret | undefined): X509Certificate | undefined {
  const { 'tls.crt': certificate, 'tls.key': key } = secret?.data ?? {};
  if (certificate === undefined || key === undefined) return undefined;
  try {
    const parsed = new X509Certificate(Buffer.from(certificate, 'base64'));
    return parsed.checkPrivateKey(createPrivateKey(Buffer.from(key, 'base64')))
      ? parsed
      : undefined;
  } catch {
    return undefined;
  }
}

const commonNameOf = ({ subject }: X509Certificate) => /^CN=(.*)$/m.exec(subject)?.[1] ?? '';
