import tls from 'node:tls';

let isMachineTrusted = false;

/**
 * Makes connections that have no certificate authority of their own trust those of the system, with SSL_CERT_FILE and SSL_CERT_DIR,
 * as Go does (crypto/x509, SystemCertPool). kubectl knows neither those that Node brings nor NODE_EXTRA_CA_CERTS.
 */
export function trustMachine(): void {
  if (isMachineTrusted) return;
  isMachineTrusted = true;
  tls.setDefaultCACertificates(tls.getCACertificates('system'));
}
