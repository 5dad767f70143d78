import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { isWritten, writeChart } from '../charts/written.ts';
import { Authority } from '../plane/pki.ts';
import { trustedFile } from './folder.ts';

/** The names of the OCI registries, the last for air gaps, and of vcluster's chart repository. */
const names = ['ghcr.io', 'quay.io', 'charts.loft.sh', 'registry.example'];

/** Where the HTTPS server of the internet is on this machine. */
export interface Internet {
  names: readonly string[];
  port: number;
  stop(): void;
}

/**
 * Starts an HTTPS server with a CA of its own for the names of registries and chart servers, and writes the CA into the bed's folder.
 * It has the charts, each in every version that is asked for, and no images: those are the kubelet's.
 */
export async function startInternet(dir: string, helm: string): Promise<Internet> {
  const folder = join(dir, 'internet');
  mkdirSync(folder, { recursive: true });
  const authority = await Authority.create('internet');
  writeFileSync(trustedFile(dir), authority.certPem);
  const { certPem: cert, keyPem: key } = await authority.issue({
    commonName: 'internet',
    hosts: names,
  });
  const archives = new Map<string, Promise<Buffer>>();
  const archiveOf = (chart: string, version: string) => {
    const id = `${chart}-${version}`;
    const archive = archives.get(id) ?? packaged(join(folder, id), helm, chart, version);
    archives.set(id, archive);
    return archive;
  };
  const server = createServer({ cert, key }, async (request, response) => {
    const answer = await answerTo(request.headers.host ?? '', request.url ?? '/', archiveOf).catch(
      () => undefined,
    );
    const {
      body = '{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}',
      type,
    } = answer ?? {};
    const length = Buffer.byteLength(body);
    response.writeHead(answer ? 200 : 404, {
      'content-type': type ?? 'application/json',
      'content-length': length,
      'docker-content-digest': digestOf(body),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { names, port: (server.address() as AddressInfo).port, stop: () => server.close() };
}

type ArchiveOf = (chart: string, version: string) => Promise<Buffer>;

interface Answer {
  body: string | Buffer;
  type: string;
}

async function answerTo(
  host: string,
  url: string,
  archiveOf: ArchiveOf,
): Promise<Answer | undefined> {
  const { pathname } = new URL(url, `https://${host}`);
  if (host.startsWith('charts.')) return chartServer(pathname, archiveOf);
  if (/^\/v2\/?$/.test(pathname)) return { body: '{}', type: 'application/json' };
  const [, repository = '', kind, which = ''] =
    /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(pathname) ?? [];
  const chart = repository.split('/').at(-1) ?? '';
  return isWritten(chart) ? registry(chart, kind ?? '', which, archiveOf) : undefined;
}

/** A Helm repository (helm.sh/docs/topics/chart_repository). */
async function chartServer(pathname: string, archiveOf: ArchiveOf): Promise<Answer | undefined> {
  const [, chart = '', version = ''] =
    /^\/(?:charts\/)?([a-z-]+)-(\d.+)\.tgz$/.exec(pathname) ?? [];
  if (chart) return { body: await archiveOf(chart, version), type: 'application/gzip' };
  if (pathname !== '/index.yaml') return undefined;
  const entry = {
    apiVersion: 'v2',
    name: 'vcluster',
    version: '0.16.4',
    urls: ['charts/vcluster-0.16.4.tgz'],
  };
  return {
    body: stringify({ apiVersion: 'v1', entries: { vcluster: [entry] } }),
    type: 'text/yaml',
  };
}

/** By digest, the blobs of manifests that were read. */
const blobs = new Map<string, Buffer>();

/** A chart in an OCI registry (helm.sh/docs/topics/registries): a manifest of a configuration and an archive. */
async function registry(
  chart: string,
  kind: string,
  which: string,
  archiveOf: ArchiveOf,
): Promise<Answer | undefined> {
  const blob = blobs.get(which);
  if (blob) return { body: blob, type: 'application/octet-stream' };
  if (kind !== 'manifests' || which.startsWith('sha256:')) return undefined;
  const version = which.replace(/^v/, '');
  const layer = await archiveOf(chart, version);
  const config = Buffer.from(JSON.stringify({ apiVersion: 'v2', name: chart, version }));
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const described = (mediaType: string, content: Buffer) => {
    blobs.set(digestOf(content), content);
    return { mediaType, digest: digestOf(content), size: content.length };
  };
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: described('application/vnd.cncf.helm.config.v1+json', config),
      layers: [described('application/vnd.cncf.helm.chart.content.v1.tar+gzip', layer)],
    }),
  );
  blobs.set(digestOf(manifest), manifest);
  return { body: manifest, type };
}

const digestOf = (content: string | Buffer) =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`;

async function packaged(
  folder: string,
  helm: string,
  name: string,
  version: string,
): Promise<Buffer> {
  writeChart(folder, name, version);
  await promisify(execFile)(helm, ['package', folder, '--destination', join(folder, '..')]);
  return readFile(join(folder, '..', `${name}-${version}.tgz`));
}
