import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Authority } from '../plane/pki.ts';
import type { ContainerLog } from './container-log.ts';

/** Finds the log of a container. @throws Error with the kubelet's message if the log does not exist */
export type FindLog = (namespace: string, pod: string, container: string) => ContainerLog;

/**
 * The only endpoint of the kubelet that API servers use here: `GET /containerLogs/<namespace>/<pod>/<container>`, with
 * tailLines, previous, follow, timestamps, sinceTime and sinceSeconds. By default, API servers do not verify its certificate.
 */
export class LogServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(nodeName: string, find: FindLog): Promise<LogServer> {
    const authority = await Authority.create(`${nodeName}-ca`);
    const { certPem, keyPem } = await authority.issue({
      commonName: nodeName,
      hosts: [nodeName, '127.0.0.1'],
    });
    const server = createServer({ cert: certPem, key: keyPem }, (request, response) =>
      answer(find, request, response),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new LogServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function answer(find: FindLog, { url = '/' }: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(url, 'https://kubelet');
  const [, door, namespace = '', pod = '', container = ''] = pathname.split('/');
  if (door !== 'containerLogs') {
    response.writeHead(404).end();
    return;
  }
  try {
    const log = find(namespace, pod, container);
    const [tail, time, seconds] = ['tailLines', 'sinceTime', 'sinceSeconds'].map((name) =>
      searchParams.get(name),
    );
    const isOn = (name: string) => searchParams.get(name) === 'true';
    const [previous, timestamps] = [isOn('previous'), isOn('timestamps')];
    const since = time ? Date.parse(time) : seconds ? Date.now() - Number(seconds) * 1000 : 0;
    const text = log.read({
      previous,
      timestamps,
      since,
      ...(tail && { tailLines: Number(tail) }),
    });
    if (text === undefined)
      throw new Error(`previous terminated container "${container}" in pod "${pod}" not found`);
    response.writeHead(200, { 'content-type': 'text/plain' }).write(text);
    if (!isOn('follow')) return void response.end();
    const stop = log.follow(
      timestamps,
      (line) => void (line === undefined ? response.end() : response.write(line)),
    );
    response.on('close', stop);
  } catch (error) {
    response.writeHead(400, { 'content-type': 'text/plain' }).end((error as Error).message);
  }
}
