import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import {
  type AsnType,
  Constructed,
  fromBER,
  ObjectIdentifier,
  OctetString,
  Sequence,
} from 'asn1js';

/** The whole extension in DER: a key identifier and nothing else. */
const keyIdOfNothing = '30168014da39a3ee5e6b4b0d3255bfef95601890afd80709';

const oids = { authorityKeyId: '2.5.29.35', nameConstraints: '2.5.29.30' };
/** Key usage, subject alternative names, basic constraints, extended key usage: OpenSSL or this file judges them. */
const understood = ['2.5.29.15', '2.5.29.17', '2.5.29.19', '2.5.29.37'];
/** RSA (RFC 8017) or ECDSA (RFC 5758) with SHA-256, 384 or 512. */
const strongSignature = /^1\.2\.840\.(?:113549\.1\.1\.1[123]|10045\.4\.3\.[234])$/;
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
export function trustedInstead(
  raw: Buffer,
  authorities: string,
  name: string,
): SecureContextOptions | undefined {
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
  (pem.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? []).map(
    (one) => new X509Certificate(one),
  );

const isCurrent = ({ validFromDate, validToDate }: X509Certificate) =>
  validFromDate.getTime() <= Date.now() && Date.now() <= validToDate.getTime();

/** Whether it restricts nothing that is not judged here, and may vouch for servers. */
function isPlain(certificate: X509Certificate) {
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

/** The parts of a certificate that Node does not show (RFC 5280, 4.1): names in DER, values of extensions in hexadecimal digits. */
function partsOf({ raw }: X509Certificate) {
  const [body] = elementsOf(fromBER(raw).result);
  const fields = elementsOf(body);
  const [algorithm, issuer, , subject] = fields.filter((field) => field instanceof Sequence);
  const [list] = elementsOf(
    fields.find(({ idBlock }) => idBlock.tagClass === 3 && idBlock.tagNumber === 3),
  );
  const all = elementsOf(list).map((extension) => {
    const [oid, ...rest] = elementsOf(extension);
    // A boolean says whether it is critical.
    return { oid: oidOf(oid), critical: rest.length > 1, value: hexOf(rest.at(-1)) };
  });
  return {
    signature: oidOf(elementsOf(algorithm)[0]),
    issuer: derOf(issuer),
    subject: derOf(subject),
    extensions: new Map(all.map(({ oid, value }) => [oid, value])),
    unknown: all.filter(({ oid, critical }) => critical && !understood.includes(oid)),
    isRepeated: new Set(all.map(({ oid }) => oid)).size < all.length,
  };
}

const elementsOf = (block: AsnType | undefined): AsnType[] =>
  block instanceof Constructed ? block.valueBlock.value : [];
const oidOf = (block: AsnType | undefined) =>
  block instanceof ObjectIdentifier ? block.getValue() : '';
const hexOf = (block: AsnType | undefined) =>
  block instanceof OctetString ? Buffer.from(block.valueBlock.valueHexView).toString('hex') : '';
const derOf = (block: AsnType | undefined): Buffer =>
  Buffer.from(block?.valueBeforeDecodeView ?? '');
