import { isIP } from 'node:net';

/** An answer of an API server other than success. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/**
 * No response at all. The message is in the words of Go's HTTP client, because the stand-ins quote it in conditions as the real
 * programs do: `Post "https://…": dial tcp …: connect: connection refused`.
 */
export class ConnectionError extends Error {
  override name = 'ConnectionError';
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.reason === 'AlreadyExists';
}

export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.reason === 'Conflict';
}

const unknownAuthority = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
]);

interface SystemError extends Error {
  code?: string | undefined;
  cert?: { subjectaltname?: string };
}

/** Go's message for Node's `error` about a connection to `address` (as its caller knows it), for server name `host`. */
export function inGoWords(error: SystemError, address: string, host: string): string {
  const code = error.code ?? '';
  if (code === 'ECONNREFUSED') return `dial tcp ${address}: connect: connection refused`;
  if (code === 'ETIMEDOUT') return `dial tcp ${address}: i/o timeout`;
  if (code === 'ECONNRESET') return `read tcp ${address}: read: connection reset by peer`;
  if (unknownAuthority.has(code)) {
    return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = [
      ...(error.cert?.subjectaltname ?? '').matchAll(/(?:DNS|IP Address):([^,\s]+)/g),
    ].map((m) => m[1]);
    const what = isIP(host) ? 'IP addresses' : names.join(', ');
    return `tls: failed to verify certificate: x509: certificate is valid for ${what}, not ${host}`;
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';
  }
  return error.message;
}
