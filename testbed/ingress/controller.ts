import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { Informer } from '../kube/informer.ts';
import type { KubeObject } from '../kube/objects.ts';
import { ingresses } from '../kube/resources.ts';
import { Authority } from '../plane/pki.ts';
import { pipeBoth } from '../pod-runner/pipe.ts';
import type { PodContext } from '../pod-runner/program.ts';
import { serverNameOf } from './server-name.ts';

const passthrough = 'nginx.ingress.kubernetes.io/ssl-passthrough';

interface Ingress extends KubeObject {
  spec: {
    rules?: {
      host?: string;
      http?: { paths: { backend: { service?: { name: string; port: { number?: number } } } }[] };
    }[];
  };
}

interface Backend {
  host: string;
  port: number;
}

/**
 * Stands in for ingress-nginx as far as TLS passthrough: by the server's name to the Service of an Ingress that requests it, if
 * `--enable-ssl-passthrough` is given. Everything else is answered with the controller's own certificate.
 */
export async function ingressController(context: PodContext): Promise<void> {
  const { api, args, signal, log } = context;
  const isEnabled = args.some((arg) => /^--enable-ssl-passthrough(=true)?$/.test(arg));
  const informer = new Informer<Ingress>(api, ingresses, { onError: (error) => log(error.message) }, signal);
  const ownServer = await startOwnServer();
  context.listenOnNode(443, (socket) => {
    readHello(socket, (name) => {
      const backend = isEnabled && name ? findBackend(informer.items.values(), name) : undefined;
      if (backend) join(context, socket, backend);
      else ownServer.emit('connection', socket);
    });
  });
  await informer.synced;
  context.setReady(true);
  if (!signal.aborted) await once(signal, 'abort');
}

async function startOwnServer(): Promise<Server> {
  const authority = await Authority.create('Kubernetes Ingress Controller Fake Certificate');
  const commonName = 'Kubernetes Ingress Controller Fake Certificate';
  const { certPem, keyPem } = await authority.issue({ commonName, hosts: ['ingress.local'] });
  return createServer({ cert: certPem, key: keyPem }, (_, response) =>
    response.writeHead(404).end('404 page not found'),
  );
}

/** Reads the beginning of the connection without consuming it. */
function readHello(socket: Socket, onName: (name: string | undefined) => void): void {
  let start = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    start = Buffer.concat([start, chunk]);
    const name = serverNameOf(start);
    if (name === 'incomplete') return;
    socket.off('data', onData);
    socket.pause();
    socket.unshift(start);
    onName(name);
  };
  socket.on('data', onData);
}

function findBackend(all: Iterable<Ingress>, name: string): Backend | undefined {
  for (const { metadata, spec } of all) {
    if (metadata.annotations?.[passthrough] !== 'true') continue;
    const rule = spec.rules?.find(({ host }) => host === name);
    const service = rule?.http?.paths[0]?.backend.service;
    if (service) return { host: `${service.name}.${metadata.namespace}.svc`, port: service.port.number ?? 443 };
  }
  return undefined;
}

function join(context: PodContext, socket: Socket, { host, port }: Backend): void {
  try {
    pipeBoth(socket, context.open(host, port));
  } catch (error) {
    context.log((error as Error).message);
    socket.destroy();
  }
}
