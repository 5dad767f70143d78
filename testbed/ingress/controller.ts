import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { Informer } from '../kube/informer.ts';
import type { KubeObject } from '../kube/objects.ts';
import { ingressClasses, ingresses } from '../kube/resources.ts';
import { Authority } from '../plane/pki.ts';
import { pipeBoth } from '../pod-runner/pipe.ts';
import type { PodContext } from '../pod-runner/program.ts';
import { serverNameOf } from './server-name.ts';

const passthrough = 'nginx.ingress.kubernetes.io/ssl-passthrough';

interface Ingress extends KubeObject {
  spec: {
    ingressClassName?: string;
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

interface IngressClass extends KubeObject {
  spec: { controller?: string };
}

/** Which Ingresses a controller passes TLS through for; undefined if for none. */
type Serves = ((ingress: Ingress) => boolean) | undefined;

/**
 * Stands in for ingress-nginx as far as TLS passthrough: by the server's name to the Service of an Ingress that requests it, if
 * `--enable-ssl-passthrough` is given. Everything else is answered with the controller's own certificate.
 */
export async function ingressController(context: PodContext): Promise<void> {
  const isEnabled = context.args.some((arg) => /^--enable-ssl-passthrough(=true)?$/.test(arg));
  const own = {
    commonName: 'Kubernetes Ingress Controller Fake Certificate',
    host: 'ingress.local',
  };
  await serve(context, own, isEnabled ? () => true : undefined);
}

/**
 * Stands in for Traefik with its provider for Ingresses of ingress-nginx, which requires an IngressClass of ingress-nginx's
 * controller, and passes TLS through by the same annotation.
 */
export async function traefik(context: PodContext): Promise<void> {
  const { api, args, signal, log } = context;
  const onError = (error: Error) => log(error.message);
  const classes = new Informer<IngressClass>(api, ingressClasses, { onError }, signal);
  const isEnabled = args.some((arg) => /^--providers\.kubernetesingressnginx(=true)?$/.test(arg));
  const serves = ({ spec: { ingressClassName } }: Ingress) =>
    [...classes.items.values()].some(
      ({ metadata, spec }) =>
        metadata.name === ingressClassName && spec.controller === 'k8s.io/ingress-nginx',
    );
  await classes.synced;
  const host = `${'0'.repeat(32)}.${'0'.repeat(32)}.traefik.default`;
  await serve(
    context,
    { commonName: 'TRAEFIK DEFAULT CERT', host },
    isEnabled ? serves : undefined,
  );
}

/** @param own the controller's own certificate */
async function serve(
  context: PodContext,
  own: { commonName: string; host: string },
  serves: Serves,
): Promise<void> {
  const { api, signal, log } = context;
  const informer = new Informer<Ingress>(
    api,
    ingresses,
    { onError: (error) => log(error.message) },
    signal,
  );
  const ownServer = await startOwnServer(own);
  context.listenOnNode(443, (socket) => {
    readHello(socket, (name) => {
      const served = serves && name ? [...informer.items.values()].filter(serves) : [];
      const backend = findBackend(served, name ?? '');
      if (backend) join(context, socket, backend);
      else ownServer.emit('connection', socket);
    });
  });
  await informer.synced;
  context.setReady(true);
  if (!signal.aborted) await once(signal, 'abort');
}

async function startOwnServer({
  commonName,
  host,
}: {
  commonName: string;
  host: string;
}): Promise<Server> {
  const authority = await Authority.create(commonName);
  const { certPem, keyPem } = await authority.issue({ commonName, hosts: [host] });
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
    if (service)
      return {
        host: `${service.name}.${metadata.namespace}.svc`,
        port: service.port.number ?? 443,
      };
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
