import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { SecureContextOptions } from 'node:tls';

/**
 * KubeFlex v0.9.3 gives API servers of type k8s a certificate whose AuthorityKeyId is the SHA-1 of nothing, and not that of its own
 * authority (pkg/certs/certgen.go:145). Go ignores this field (crypto/x509, CertPool.findPotentialParents uses it only to order
 * candidates); OpenSSL finds no issuer, and Node refuses the connection with this code.
 */
export const issuerNotFound = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';

/** Node's code for another certificate than the one that is trusted instead: the server has a new one, or is another server. */
export const otherThanTrusted = 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY';

/** The whole extension in DER: a key identifier and nothing else. */
const keyIdOfNothing = '30168014da39a3ee5e6b4b0d3255bfef95601890afd80709';

const oids = { authorityKeyId: '551d23', nameConstraints: '551d1e' };
/** Key usage, subject alternative names, basic constraints, extended key usage: OpenSSL or this file judges them. */
const understood = ['551d0f', '551d11', '551d13', '551d25'];
/** RSA (RFC 8017) or ECDSA (RFC 5758) with SHA-256, 384 or 512. */
const strongSignature = /^(?:2a864886f70d01010[bcd]|2a8648ce3d04030[234])$/;
/** Of servers, or any (RFC 5280, 4.2.1.12). */
const serverUsages = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];

/**
 * Judges the certificate of a server as Go does, where Node refuses it only because of that AuthorityKeyId: an authority of the
 * kubeconfig itself has signed it, for this name. Its dates, its usage and its name are judged again by every connection.
 * @param raw DER, as the server sent it
 * @param authorities of the kubeconfig, PEM
 * @param name that the server must have: a DNS name or an address
 * @returns what a connection then trusts instead of the authorities; undefined for any other certificate
 */
export function trustedInstead(raw: Buffer, authorities: string, name: string): SecureContextOptions | undefined {
  const leaf = new X509Certificate(raw);
  const { issuer, extensions } = partsOf(leaf);
  if (extensions.get(oids.authorityKeyId) !== keyIdOfNothing || !isPlain(leaf)) return undefined;
  const isNamed =
    isIP(name) === 0
      ? leaf.checkHost(name, { subject: 'never', partialWildcards: false }) !== undefined
      : leaf.checkIP(name) !== undefined;
  const isSigned = certificatesIn(authorities).some(
    (authority) =>
      authority.ca &&
      isCurrent(authority) &&
      isPlain(authority) &&
      partsOf(authority).subject.equals(issuer) &&
      leaf.verify(authority.publicKey),
  );
  return isNamed && isSigned ? { ca: [leaf.toString()], allowPartialTrustChain: true } : undefined;
}

/** The certificates in a text, PEM. */
export const certificatesIn = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? []).map((one) => new X509Certificate(one));

const isCurrent = ({ validFromDate, validToDate }: X509Certificate): boolean =>
  validFromDate.getTime() <= Date.now() && Date.now() <= validToDate.getTime();

/** Whether it restricts nothing that is not judged here, and may vouch for servers. */
function isPlain(certificate: X509Certificate): boolean {
  const { signature, extensions, unknown, isRepeated } = partsOf(certificate);
  const { keyUsage: usages } = certificate as { keyUsage?: string[] };
  return (
    strongSignature.test(signature) &&
    !isRepeated &&
    unknown.length === 0 &&
    !extensions.has(oids.nameConstraints) &&
    (usages === undefined || usages.some((usage) => serverUsages.includes(usage)))
  );
}

/** The parts of a certificate that Node does not show (RFC 5280, 4.1): names in DER, object identifiers and values in hexadecimal digits. */
function partsOf({ raw }: X509Certificate) {
  const [whole] = elementsOf(raw);
  const [body] = elementsOf(whole?.content);
  const fields = elementsOf(body?.content);
  const [algorithm, issuer, , subject] = fields.filter(({ tag }) => tag === 0x30);
  const [list] = elementsOf(fields.find(({ tag }) => tag === 0xa3)?.content);
  const all = elementsOf(list?.content).map(({ content }) => {
    const [oid, ...rest] = elementsOf(content);
    // A boolean says whether it is critical.
    const critical = rest.length > 1 && rest[0]?.content.some((octet) => octet !== 0);
    return { oid: hexOf(oid), critical, value: hexOf(rest.at(-1)) };
  });
  return {
    ...{ signature: hexOf(elementsOf(algorithm?.content)[0]), issuer: bytesOf(issuer), subject: bytesOf(subject) },
    extensions: new Map(all.map(({ oid, value }) => [oid, value])),
    unknown: all.filter(({ oid, critical }) => critical && !understood.includes(oid)),
    isRepeated: new Set(all.map(({ oid }) => oid)).size < all.length,
  };
}

/** An element in DER (X.690, 8.1). */
interface Element {
  tag: number;
  content: Buffer;
}

const hexOf = (element: Element | undefined): string => element?.content.toString('hex') ?? '';
const bytesOf = (element: Element | undefined): Buffer => element?.content ?? Buffer.alloc(0);

/** The elements that follow one another in what OpenSSL has parsed already. */
function elementsOf(der: Buffer = Buffer.alloc(0)): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < der.length; ) {
    const short = der[at + 1] ?? 0;
    const octets = short < 0x80 ? 0 : short - 0x80;
    if (octets > 4) break;
    const start = at + 2 + octets;
    const length = octets === 0 ? short : der.readUIntBE(at + 2, octets);
    elements.push({ tag: der[at] ?? 0, content: der.subarray(start, start + length) });
    at = start + length;
  }
  return elements;
}
