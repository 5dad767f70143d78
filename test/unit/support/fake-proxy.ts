import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { identity } from './fake-server.ts';

/** A request to a proxy. */
interface Asked {
  method: string;
  target: string;
  /** `user:password` */
  user: string | undefined;
}

interface Behaviour {
  kind?: 'http' | 'https' | 'socks5';
  /** The status of a rejection, or `silent` to never answer. */
  refusing?: number | 'silent';
  /** Required credentials; others are rejected (407). */
  user?: string;
}

/** A proxy that connects to that port of this machine, whatever host is requested. */
export class FakeProxy {
  readonly asked: Asked[] = [];
  readonly #behaviour: Behaviour;
  readonly #server: net.Server;
  readonly #sockets = new Set<Duplex>();

  private constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
    if (behaviour.kind === 'socks5') {
      this.#server = net.createServer((socket) =>
        this.#serveSocks(socket).catch(() => socket.destroy()),
      );
    } else {
      const server =
        behaviour.kind === 'https' ? https.createServer(identity) : http.createServer();
      server.on('connect', (request, socket) => this.#serveConnect(request, socket));
      server.on('request', (request, response) => this.#forward(request, response));
      this.#server = server;
    }
    this.#server.on('connection', (socket) => this.#keep(socket));
  }

  static async start(behaviour: Behaviour = {}): Promise<FakeProxy> {
    const proxy = new FakeProxy(behaviour);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The number of connections to it and from it. */
  get connections(): number {
    return this.#sockets.size;
  }

  url(user = ''): string {
    return `${this.#behaviour.kind ?? 'http'}://${user === '' ? '' : `${user}@`}127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep<Kept extends Duplex>(socket: Kept): Kept {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    return socket;
  }

  /** @returns the status of a rejection; undefined to continue */
  #judge({ method = '', url = '', headers }: http.IncomingMessage): number | 'silent' | undefined {
    const [, code] = headers['proxy-authorization']?.split(' ') ?? [];
    const user = code === undefined ? undefined : Buffer.from(code, 'base64').toString();
    this.asked.push({ method, target: url, user });
    return this.#behaviour.refusing ?? (this.#behaviour.user === user ? undefined : 407);
  }

  #serveConnect(request: http.IncomingMessage, socket: Duplex): void {
    const refusal = this.#judge(request);
    // Detects that the other end closes the connection.
    if (refusal === 'silent') socket.resume().on('end', () => socket.end());
    else if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal} ${http.STATUS_CODES[refusal]}\r\nContent-Length: 0\r\n\r\n`);
    } else this.#join(socket, 'HTTP/1.1 200 OK\r\n\r\n', Number(/\d+$/.exec(request.url ?? '')));
  }

  #forward(request: http.IncomingMessage, response: http.ServerResponse): void {
    const refusal = this.#judge(request);
    if (refusal === 'silent') return;
    if (refusal !== undefined) {
      response.writeHead(refusal).end();
      return;
    }
    const { port, pathname } = new URL(request.url ?? '');
    const { method, headers } = request;
    const sent = http.request(
      { port, host: '127.0.0.1', path: pathname, method: method ?? '', headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(sent);
  }

  /** RFC 1928, and 1929 for the user. */
  async #serveSocks(socket: Socket): Promise<void> {
    const pieces = socket.iterator({ destroyOnReturn: false });
    const next = async () => (await pieces.next()).value as Buffer;
    await next();
    socket.write(Buffer.from([5, this.#behaviour.user === undefined ? 0 : 2]));
    let user: string | undefined;
    if (this.#behaviour.user !== undefined) {
      const said = await next();
      const length = said[1] ?? 0;
      user = `${said.subarray(2, 2 + length)}:${said.subarray(3 + length)}`;
      socket.write(Buffer.from([1, user === this.#behaviour.user ? 0 : 1]));
    }
    const request = await next();
    const port = request.readUInt16BE(request.length - 2);
    const address = request.subarray(4, -2);
    const host =
      request[3] === 3
        ? address.subarray(1).toString()
        : request[3] === 4
          ? address.toString('hex')
          : address.join('.');
    this.asked.push({ method: 'socks5', target: `${host}:${port}`, user });
    if (this.#behaviour.refusing === 'silent') return;
    const refused = this.#behaviour.refusing !== undefined;
    const answer = Buffer.from([5, refused ? 2 : 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    await pieces.return?.();
    if (refused) socket.end(answer);
    else this.#join(socket, answer, port);
  }

  #join(client: Duplex, greeting: string | Buffer, port: number): void {
    const server = this.#keep(net.connect(port, '127.0.0.1', () => client.write(greeting)));
    client.pipe(server).pipe(client);
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
  }
}
