import { X509Certificate } from 'node:crypto';
import { connect as connectTls, type PeerCertificate, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { certificatesIn, issuerNotFound, trustedInstead } from './kubeflex-certificate.ts';
import { lookup } from './local-names.ts';
import { hostOf } from './proxy.ts';

/** What answers at an address, asked in TLS for the name in it. */
export type Answer =
  /** The server that the authority belongs to. `flaw` is Node's code if clients refuse its certificate nevertheless. */
  | { state: 'own'; flaw?: string }
  | { state: 'unresolved' }
  /** Nothing accepts the connection, or what does says nothing; Node's code says why. */
  | { state: 'silent'; code: string }
  /** Something else, in words; with its certificate if it has shown one. */
  | { state: 'other'; what: string; certificate?: ReturnType<typeof describe> };

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
    first(connectTls({ ...options, ...instead }), (socket) => {
      const isRefused = String(socket.authorizationError) === issuerNotFound;
      const { raw } = socket.getPeerCertificate();
      instead = isRefused && authority ? trustedInstead(raw, authority.toString(), address.host) : undefined;
      return judge(socket, authority);
    });
  const seen = await shake();
  return instead === undefined ? seen : shake();
}

function judge(socket: TLSSocket, authority: Buffer | undefined): Answer {
  if (socket.authorized) return { state: 'own' };
  // Node's code, unlike in its types.
  const flaw = String(socket.authorizationError);
  const certificate = socket.getPeerCertificate();
  // Node compares the names only if the authority has signed the certificate; OpenSSL compares the times in any case.
  const isOwn =
    flaw === 'ERR_TLS_CERT_ALTNAME_INVALID' ||
    (/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/.test(flaw) && hasSigned(authority, certificate));
  if (isOwn) return { state: 'own', flaw };
  const shown = describe(certificate);
  const who = shown.isApiServer ? 'another API server answers' : 'TLS ends before it reaches the space';
  const what = `${who}, with the certificate "${shown.subject}" of issuer "${shown.issuer}"`;
  return { state: 'other', what, certificate: shown };
}

function hasSigned(authority: Buffer | undefined, { raw }: PeerCertificate): boolean {
  const leaf = new X509Certificate(raw);
  return certificatesIn(authority?.toString() ?? '').some(({ publicKey }) => leaf.verify(publicKey));
}

function describe({ subject, issuer, subjectaltname = '' }: PeerCertificate) {
  const nameOf = (name: PeerCertificate['subject'] | undefined) =>
    String(name?.CN ?? name?.O ?? 'without a name').slice(0, longestName);
  const isApiServer = subjectaltname.split(', ').includes('DNS:kubernetes.default.svc');
  return { subject: nameOf(subject), issuer: nameOf(issuer), isApiServer };
}

/** The answer of a connection once TLS is there, or its end before that. */
function first(socket: TLSSocket, answerOf: (socket: TLSSocket) => Answer): Promise<Answer> {
  return new Promise((resolve) => {
    let isConnected = false;
    const end = (answer: Answer) => {
      socket.destroy();
      resolve(answer);
    };
    const ended = (code: string, message = ''): Answer => {
      if (['ENOTFOUND', 'EAI_AGAIN'].includes(code)) return { state: 'unresolved' };
      if (!isConnected) return { state: 'silent', code };
      // OpenSSL's words for an answer that is no TLS record.
      const isPlain = /wrong.version|packet.length|http.request/i.test(code + message);
      return {
        state: 'other',
        what: isPlain
          ? 'a server answers without TLS'
          : 'the connection is closed before TLS begins: what listens there has no backend for that name',
      };
    };
    socket.on('connect', () => {
      isConnected = true;
    });
    socket.setTimeout(answerTimeoutMs, () => end({ state: 'silent', code: 'ETIMEDOUT' }));
    socket.on('error', ({ code = '', message }: NodeJS.ErrnoException) => end(ended(code, message)));
    socket.on('close', () => end(ended('')));
    socket.on('secureConnect', () => end(answerOf(socket)));
  });
}
