import tls from 'node:tls';

let isMachineTrusted = false;

/**
 * Makes connections that have no certificate authority of their own trust those of this machine, as Go does (crypto/x509,
 * SystemCertPool): the system's, with SSL_CERT_FILE and SSL_CERT_DIR; those that Node brings, for a system that has none; and those
 * of NODE_EXTRA_CA_CERTS.
 */
export function trustMachine(): void {
  if (isMachineTrusted) return;
  isMachineTrusted = true;
  const authorities = (['system', 'bundled', 'extra'] as const).flatMap((source) => tls.getCACertificates(source));
  tls.setDefaultCACertificates(authorities);
}

/**
 * For connections with their own certificate authority. Node loads all of its own even for these, and waits for it: up to a tenth of
 * the time of a list.
 */
export function trustOnlyNamed(): void {
  if (!isMachineTrusted) tls.setDefaultCACertificates([]);
}
