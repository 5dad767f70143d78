import 'reflect-metadata';
import {
  createPrivateKey,
  createPublicKey,
  KeyObject,
  randomBytes,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const rsa = {
  ...{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048 },
  publicExponent: new Uint8Array([1, 0, 1]),
} as const;
type Algorithm = typeof ecdsa | typeof rsa;
const day = 24 * 3600 * 1000;

/** A certificate and its private key. */
export interface KeyPair {
  certPem: string;
  keyPem: string;
}

export interface CertificateRequest {
  commonName: string;
  organizations?: string[];
  /** Names and addresses of a server; without any the certificate is a client's. */
  hosts?: string[];
  /** A year from yesterday by default. */
  validity?: Validity;
  /** Hexadecimal digits, in place of the authority's own. */
  authorityKeyId?: string;
}

/** From when to when a certificate is valid. */
export interface Validity {
  from: Date;
  to: Date;
}

/** A certificate authority of its own. */
export class Authority {
  readonly certPem: string;
  readonly keyPem: string;
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #name: string;

  private constructor(name: string, keys: webcrypto.CryptoKeyPair, certPem: string) {
    this.#name = name;
    this.#keys = keys;
    this.certPem = certPem;
    this.keyPem = privatePem(keys);
  }

  /** With an RSA key, as kubeadm makes it: an API server verifies the certificate of a client at each request, which takes half as long. */
  static createRsa(name: string): Promise<Authority> {
    return Authority.create(name, rsa);
  }

  static async create(name: string, algorithm: Algorithm = ecdsa): Promise<Authority> {
    const keys = await newKeys(algorithm);
    const certPem = await sign(name, name, keys, keys, [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(
        KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature,
        true,
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ]);
    return new Authority(name, keys, certPem);
  }

  /** An authority by its certificate and private key. */
  static of({ certPem, keyPem }: KeyPair): Authority {
    const key = createPrivateKey(keyPem);
    const algorithm = key.asymmetricKeyType === 'rsa' ? rsa : ecdsa;
    const keys = {
      privateKey: key.toCryptoKey(algorithm, true, ['sign']),
      publicKey: createPublicKey(certPem).toCryptoKey(algorithm, true, ['verify']),
    };
    const name = /^CN=(.+)$/m.exec(new X509Certificate(certPem).subject)?.[1] ?? '';
    return new Authority(name, keys, certPem);
  }

  async issue({
    commonName,
    organizations = [],
    hosts = [],
    validity,
    authorityKeyId,
  }: CertificateRequest): Promise<KeyPair> {
    const keys = await newKeys();
    const subject = new Name([
      { CN: [commonName] },
      ...organizations.map((organization) => ({ O: [organization] })),
    ]);
    const extensions: Extension[] = [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
      new ExtendedKeyUsageExtension([
        hosts.length > 0 ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth,
      ]),
      authorityKeyId === undefined
        ? await AuthorityKeyIdentifierExtension.create(this.#keys.publicKey)
        : new AuthorityKeyIdentifierExtension(authorityKeyId),
    ];
    if (hosts.length > 0) {
      const names = hosts.map((value) => ({
        type: isIP(value) ? ('ip' as const) : ('dns' as const),
        value,
      }));
      extensions.push(new SubjectAlternativeNameExtension(names));
    }
    const certPem = await sign(
      subject.toString(),
      this.#name,
      keys,
      this.#keys,
      extensions,
      validity,
    );
    return { certPem, keyPem: privatePem(keys) };
  }
}

/** A key pair without a certificate, as for signing service account tokens. */
export async function newKeyPem(): Promise<string> {
  return privatePem(await newKeys());
}

async function newKeys(algorithm: Algorithm = ecdsa): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
}

function privatePem(keys: webcrypto.CryptoKeyPair): string {
  const key = KeyObject.from(keys.privateKey);
  return key
    .export({ type: key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'sec1', format: 'pem' })
    .toString();
}

async function sign(
  subject: string,
  issuer: string,
  keys: webcrypto.CryptoKeyPair,
  issuerKeys: webcrypto.CryptoKeyPair,
  extensions: Extension[],
  { from, to }: Validity = {
    from: new Date(Date.now() - day),
    to: new Date(Date.now() + 365 * day),
  },
): Promise<string> {
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomBytes(16).toString('hex'),
    subject: subject.includes('=') ? subject : `CN=${subject}`,
    issuer: `CN=${issuer}`,
    notBefore: from,
    notAfter: to,
    publicKey: keys.publicKey,
    signingKey: issuerKeys.privateKey,
    signingAlgorithm: { hash: 'SHA-256', ...issuerKeys.privateKey.algorithm },
    extensions,
  });
  return `${certificate.toString('pem')}\n`;
}
