import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttps, type Server as HttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../kube/errors.ts';
import type { Entry } from '../kube/kubeconfig.ts';
import { Authority, type KeyPair } from '../plane/pki.ts';
import type { StubObjects } from './objects.ts';
import { answer, type StubRequest, statusOf } from './requests.ts';

/** The requests to all stubs together. */
export interface StubLoad {
  requests: number;
  /** The maximum number of concurrent requests. */
  atOnce: number;
  /** The maximum number of stubs with concurrent requests. */
  stubsAtOnce: number;
}

/** Serves many stubs over HTTPS, each on a port of 127.0.0.1, to clients with a certificate of their authority. */
export class StubServer {
  readonly #https: HttpsServer;
  readonly #listeners: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #stubs = new Map<number, StubObjects>();
  readonly #asked: number[] = [];
  readonly #access: KeyPair & { caPem: string };
  readonly #latency: number;
  #load: StubLoad = { requests: 0, atOnce: 0, stubsAtOnce: 0 };

  private constructor(caPem: string, serving: KeyPair, user: KeyPair, latency: number) {
    const tls = { cert: serving.certPem, key: serving.keyPem, ca: caPem, requestCert: true };
    this.#access = { caPem, ...user };
    this.#latency = latency;
    this.#https = createHttps(tls, (request, response) => void this.#serve(request, response));
    // An API server keeps idle connections longer than a command runs.
    this.#https.keepAliveTimeout = 120_000;
  }

  /** @param latency the simulated network latency of every response, in milliseconds */
  static async create(latency = 0): Promise<StubServer> {
    const authority = await Authority.create('stub-ca');
    const serving = await authority.issue({ commonName: 'kube-apiserver', hosts: ['127.0.0.1'] });
    const user = await authority.issue({
      commonName: 'stub-admin',
      organizations: ['system:masters'],
    });
    return new StubServer(authority.certPem, serving, user, latency);
  }

  /** Serves one more stub. @returns a context of that name with all rights */
  async add(name: string, objects: StubObjects): Promise<Entry> {
    const listener = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      this.#https.emit('connection', socket);
    });
    this.#listeners.push(listener);
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const { port } = listener.address() as AddressInfo;
    this.#stubs.set(port, objects);
    const connection = { server: `https://127.0.0.1:${port}`, ...this.#access };
    return { context: name, cluster: name, user: `${name}-admin`, connection };
  }

  /** The requests since the last call. */
  takeLoad(): StubLoad {
    const load = this.#load;
    this.#load = { requests: 0, atOnce: 0, stubsAtOnce: 0 };
    return load;
  }

  stop(): void {
    for (const listener of this.#listeners) listener.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { localPort = 0 } = request.socket;
    this.#asked.push(localPort);
    const { requests, atOnce, stubsAtOnce } = this.#load;
    this.#load = {
      requests: requests + 1,
      atOnce: Math.max(atOnce, this.#asked.length),
      stubsAtOnce: Math.max(stubsAtOnce, new Set(this.#asked).size),
    };
    try {
      const body = await bodyOf(request);
      if (this.#latency > 0) await sleep(this.#latency);
      const objects = this.#stubs.get(localPort);
      if (objects) reply(response, ...answered(objects, { ...requestOf(request), body }));
      else response.destroy();
    } catch {
      // The client has disconnected.
      response.destroy();
    } finally {
      this.#asked.splice(this.#asked.indexOf(localPort), 1);
    }
  }
}

function answered(objects: StubObjects, request: StubRequest): [status: number, body: unknown] {
  try {
    return [request.method === 'POST' ? 201 : 200, answer(objects, request)];
  } catch (error) {
    const refusal =
      error instanceof ApiError ? error : new ApiError(500, 'InternalError', String(error));
    return [refusal.status, statusOf(refusal)];
  }
}

const requestOf = ({ method = '', url = '', headers }: IncomingMessage): StubRequest => ({
  method,
  url,
  contentType: headers['content-type'],
  accept: headers.accept,
});

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  const isText = typeof body === 'string';
  // Go's clients take an answer without the whole type for the older kind of discovery.
  const isDiscovery = (body as { kind?: string }).kind === 'APIGroupDiscoveryList';
  const json = `application/json${isDiscovery ? ';g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' : ''}`;
  response.writeHead(status, { 'content-type': isText ? 'text/plain' : json });
  response.end(isText ? body : JSON.stringify(body));
}
