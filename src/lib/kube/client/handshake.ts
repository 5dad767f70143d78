import { once } from 'node:events';
import { connect as connectTls, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { whyNetworkFails } from './errors.ts';
import { issuerNotFound, trustedInstead } from './kubeflex-certificate.ts';
import { hostOf, lookup } from './proxy.ts';

/** What answers at an address, asked in TLS for the name in it. */
export type Answer =
  /** The server that the authority belongs to, with a certificate that clients accept. */
  | { state: 'own' }
  /** A server whose certificate they refuse, or nothing that speaks TLS; in words, without a full stop. */
  | { state: 'other' | 'none'; what: string };

/** The timeout of the other side. */
const answerTimeoutMs = 5000;

/** Not all of what a server calls itself is shown: it may be of any length. */
const longestName = 200;

/**
 * Opens a TLS connection to an address with its name (SNI), without a proxy and without credentials.
 * @param server an https URL
 * @param authority the certificates, in PEM, of the authority of the expected server; without it, every certificate is another one
 */
export async function shakeHands(server: string, authority: Buffer | undefined): Promise<Answer> {
  const url = new URL(server);
  // Under load, Node's default of 250 ms reports a refusal as a timeout.
  const address = { host: hostOf(url), port: Number(url.port || 443), lookup, autoSelectFamilyAttemptTimeout: 2000 };
  // An address is no server name (RFC 6066).
  const servername = /^[\d.]+$|:/.test(address.host) ? '' : address.host;
  const options = { ...address, servername, rejectUnauthorized: false, ca: authority ?? [] };
  let instead: SecureContextOptions | undefined;
  const shake = () =>
    answerOf(connectTls({ ...options, ...instead }), (socket) => {
      const isRefused = String(socket.authorizationError) === issuerNotFound;
      const { raw } = socket.getPeerCertificate();
      instead = isRefused && authority ? trustedInstead(raw, authority.toString(), address.host) : undefined;
      return judgeSocket(socket);
    });
  const seen = await shake();
  return instead === undefined ? seen : shake();
}

function judgeSocket(socket: TLSSocket): Answer {
  if (socket.authorized) return { state: 'own' };
  const { subject } = socket.getPeerCertificate();
  const name = String(subject?.CN ?? subject?.O ?? 'without a name').slice(0, longestName);
  // Node's code, unlike in its types.
  const why = whyNetworkFails({ code: String(socket.authorizationError) });
  return { state: 'other', what: `a server answers with the certificate "${name}", and ${why}` };
}

/** The answer of a connection once TLS is there, or why it does not come to that. */
async function answerOf(socket: TLSSocket, judged: (socket: TLSSocket) => Answer): Promise<Answer> {
  socket.setTimeout(answerTimeoutMs, () => socket.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })));
  try {
    await once(socket, 'secureConnect');
    return judged(socket);
  } catch (error) {
    return { state: 'none', what: whyNetworkFails(error as NodeJS.ErrnoException) };
  } finally {
    socket.destroy();
  }
}
