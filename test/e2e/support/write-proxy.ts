import { X509Certificate } from 'node:crypto';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { Authority, type Entry, type Plane } from '../../../testbed/index.ts';

/** What a proxy does beside reporting writes. */
export interface Interference {
  /** Called between the client's last read and its write. */
  beforeWrite?: () => Promise<unknown>;
  /** Answers a request in place of the plane. */
  instead?: (method: string, url: URL) => { status: number; body: object } | undefined;
  /** Changes the text of each answer, as if the plane were another version; without it, answers stream. */
  rewrite?: (text: string) => string;
}

/**
 * A proxy in front of a plane's API server that reports when a write is answered, so a test can end the client at exactly that
 * moment: the server has written, and the client may or may not have read the answer.
 */
export class WriteProxy {
  /** A kubeconfig entry for the proxy. */
  readonly entry: Entry;
  readonly #server: https.Server;
  readonly #upstream: https.Agent;

  private constructor(entry: Entry, server: https.Server, upstream: https.Agent) {
    this.entry = entry;
    this.#server = server;
    this.#upstream = upstream;
  }

  /**
   * @param onWrite called after the plane has answered a mutating request, and before the client gets the answer
   */
  static async start(
    plane: Plane,
    onWrite: (description: string) => void,
    { beforeWrite = async () => {}, instead = () => undefined, rewrite }: Interference = {},
  ): Promise<WriteProxy> {
    const { connection } = plane.kubeconfigEntry;
    const authority = await Authority.create(`${plane.name}-proxy-ca`);
    const own = await authority.issue({ commonName: 'localhost', hosts: ['127.0.0.1'] });
    const upstream = new https.Agent({
      keepAlive: true,
      ca: connection.caPem,
      cert: connection.certPem,
      key: connection.keyPem,
    });
    const server = https.createServer(
      { cert: own.certPem, key: own.keyPem, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const { authorization: _, ...headers } = request.headers;
        const isWrite =
          request.method !== 'GET' && !/\/selfsubject|dryRun=All/.test(request.url ?? '');
        // A client certificate names its user, as for the API server itself; the proxy's own user may impersonate others.
        const presented = presentedUser(request.socket as TLSSocket, connection.caPem ?? '');
        if (presented === 'unknown') {
          response
            .writeHead(401, { 'content-type': 'application/json' })
            .end('{"kind":"Status","code":401}');
          return;
        }
        const other = instead(request.method ?? '', new URL(request.url ?? '/', connection.server));
        if (other !== undefined) {
          response
            .writeHead(other.status, { 'content-type': 'application/json' })
            .end(JSON.stringify(other.body));
          return;
        }
        if (presented !== undefined) headers['impersonate-user'] = presented;
        if (rewrite !== undefined) delete headers['accept-encoding'];
        const forwarded = https.request(
          new URL(request.url ?? '/', connection.server),
          { method: request.method, headers, agent: upstream },
          (answer) => {
            if (isWrite && (answer.statusCode ?? 500) < 300)
              onWrite(`${request.method} ${request.url}`);
            if (rewrite === undefined) {
              response.writeHead(answer.statusCode ?? 502, answer.headers);
              answer.pipe(response);
              return;
            }
            const { 'content-length': _, ...others } = answer.headers;
            text(answer).then(
              (body) => response.writeHead(answer.statusCode ?? 502, others).end(rewrite(body)),
              () => response.destroy(),
            );
          },
        );
        forwarded.on('error', () => response.destroy());
        const isReady = isWrite ? beforeWrite() : Promise.resolve();
        isReady.then(
          () => request.pipe(forwarded),
          (error: Error) => forwarded.destroy(error),
        );
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const entry = plane.entryFor(`${plane.name}-through-proxy`, { token: 'any' });
    return new WriteProxy(
      {
        ...entry,
        connection: { server: `https://127.0.0.1:${port}`, caPem: authority.certPem, token: 'any' },
      },
      server,
      upstream,
    );
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    this.#upstream.destroy();
  }
}

/** The user of a client certificate that a plane's authority has issued. @returns undefined without a certificate */
function presentedUser(socket: TLSSocket, caPem: string) {
  const { raw } = socket.getPeerCertificate();
  if (raw === undefined) return undefined;
  const certificate = new X509Certificate(raw);
  if (!certificate.verify(new X509Certificate(caPem).publicKey)) return 'unknown';
  return /^CN=(.*)$/m.exec(certificate.subject)?.[1];
}
