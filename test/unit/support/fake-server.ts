import 'reflect-metadata';
import type { IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import type { SelectedContext, UserEntry } from '../../../src/lib/kube/kubeconfig/kubeconfig.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** Makes a certificate of a server for 127.0.0.1, ::1 and these names, which is its own authority. @param endsMs from now */
export async function selfSigned(
  subject = 'fake',
  names = ['hub.example'],
  endsMs = 3_600_000,
): Promise<{ key: string; cert: string }> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${subject}`,
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + endsMs),
    extensions: [
      new SubjectAlternativeNameExtension([
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
        ...names.map((value) => ({ type: 'dns' as const, value })),
      ]),
    ],
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString(
    'base64',
  );
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`;
  return { key, cert: certificate.toString('pem') };
}

export const identity = await selfSigned();
/** An authority of the same name, that has signed nothing else. */
export const { cert: otherAuthority } = await selfSigned();
/** Clients may present any certificate, or none. */
const asking = { ...identity, requestCert: true, rejectUnauthorized: false };

export interface ReceivedRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingHttpHeaders;
  body: unknown;
  /** The subject of the client's certificate. */
  clientName: string | string[] | undefined;
}

interface FakeAnswer {
  status?: number;
  /** An object becomes JSON; a Buffer is sent unchanged. */
  body?: string | Buffer | object | undefined;
  headers?: Record<string, string>;
}

/** Answers one request; undefined leaves it unanswered. */
type Answering = (request: ReceivedRequest, count: number) => FakeAnswer | undefined;

/** An HTTPS server that records its requests. */
export class FakeServer {
  readonly requests: ReceivedRequest[] = [];
  connections = 0;
  readonly #server: https.Server;

  private constructor(answering: Answering) {
    this.#server = https.createServer(asking, async (incoming, outgoing) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const url = new URL(incoming.url ?? '', 'https://fake');
      const text = Buffer.concat(chunks).toString();
      const request = {
        method: incoming.method ?? '',
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: incoming.headers,
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
        clientName: (incoming.socket as TLSSocket).getPeerCertificate().subject?.CN,
      };
      const answer = answering(request, this.requests.push(request));
      if (answer === undefined) return;
      outgoing.writeHead(answer.status ?? 200, answer.headers);
      const { body = {} } = answer;
      outgoing.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
    });
    this.#server.on('secureConnection', () => {
      this.connections += 1;
    });
  }

  static async start(answering: Answering, host = '127.0.0.1'): Promise<FakeServer> {
    const server = new FakeServer(answering);
    await new Promise<void>((resolve) => server.#server.listen(0, host, resolve));
    return server;
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `https://${address.includes(':') ? `[${address}]` : address}:${port}`;
  }

  /** A context of this server. */
  context(
    user: UserEntry = { token: 'secret-token' },
    { path = '', trusted = true } = {},
  ): SelectedContext {
    const server = this.url + path;
    return {
      name: 'fake',
      server,
      cluster: {
        server,
        ...(trusted
          ? { 'certificate-authority-data': Buffer.from(identity.cert).toString('base64') }
          : {}),
      },
      user,
    };
  }

  cutConnections(): void {
    this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
