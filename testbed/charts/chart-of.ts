import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { parseDocument } from 'yaml';
import type { Log } from '../plane/go-program.ts';
import { cacheFolder } from '../plane/machine.ts';
import { buildHelm } from '../programs/build.ts';
import { copyPublished } from './published.ts';
import { type ChartVersionName, currentChart, versionOf } from './versions.ts';

const run = promisify(execFile);
const kubeflex = join('charts', 'kubeflex-operator');

/** The available charts: KubeStellar's core chart, and KubeFlex's own, which is a part of it. */
export type ChartName = 'core-chart' | 'kubeflex-operator';

/** The folders of charts with the names, the values and the effects of Traefik's, and of ingress-nginx's, which was retired. */
export const ingressChart = join(import.meta.dirname, 'traefik');
export const retiredIngressChart = join(import.meta.dirname, 'ingress-nginx');

/**
 * The path of a packaged chart (.tgz) of the bed in one of its versions (those of the core chart), created once for each content of
 * the sources.
 */
export async function chartOf(
  version: ChartVersionName = currentChart,
  name: ChartName = 'core-chart',
  log: Log = () => {},
): Promise<string> {
  const folder = join(cacheFolder(), `charts-${await hashOfSources()}`, version);
  const release = name === 'core-chart' ? version : versionOf(version).kubeflex;
  const path = join(folder, `${name}-${release}.tgz`);
  if (!existsSync(path)) await packageInto(folder, version, join(await buildHelm(log), 'helm'));
  return path;
}

/** Packages beside the folder and moves the result there: another process may do the same. */
async function packageInto(folder: string, version: ChartVersionName, helm: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const scratch = await mkdtemp(`${folder}-`);
  try {
    const chart = join(scratch, 'core-chart');
    await copyPublished(chart);
    await setVersion(chart, version);
    const charts = [chart, join(chart, kubeflex)];
    await Promise.all(charts.map((path) => run(helm, ['package', path, '--destination', scratch])));
    await rm(chart, { recursive: true });
    // A concurrent process has created the same.
    await rename(scratch, folder).catch(() => {});
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function setVersion(chart: string, version: ChartVersionName): Promise<void> {
  const { kubeflex: operator, kubestellar, addon, dropsNamespace, fields } = versionOf(version);
  await edit(join(chart, 'Chart.yaml'), (document) => {
    document.setIn(['version'], version);
    document.setIn(['appVersion'], version);
    document.setIn(['dependencies', 0, 'version'], operator);
  });
  await edit(join(chart, kubeflex, 'Chart.yaml'), (document) => {
    document.setIn(['version'], operator);
    document.setIn(['appVersion'], operator);
  });
  await edit(join(chart, 'values.yaml'), (document) => {
    document.setIn(['KUBESTELLAR_VERSION'], kubestellar);
    document.setIn(['OCM_STATUS_ADDON_VERSION'], addon);
  });
  if (dropsNamespace)
    await writeFile(join(chart, kubeflex, 'templates', 'namespace.yaml'), namespaceOnce);
  if (!fields) return;
  const crd = 'tenancy.kflex.kubestellar.org_controlplanes.yaml';
  await edit(join(chart, kubeflex, 'crds', crd), (document) => {
    const spec = [
      'spec',
      'versions',
      0,
      'schema',
      'openAPIV3Schema',
      'properties',
      'spec',
      'properties',
    ];
    for (const [field, schema] of Object.entries(fields)) document.setIn([...spec, field], schema);
  });
}

const namespaceOnce = `{{- if not (lookup "v1" "Namespace" "" "kubeflex-system") }}
apiVersion: v1
kind: Namespace
metadata:
  name: kubeflex-system
{{- end }}
`;

async function edit(
  path: string,
  change: (document: ReturnType<typeof parseDocument>) => void,
): Promise<void> {
  const document = parseDocument(await readFile(path, 'utf8'));
  change(document);
  await writeFile(path, document.toString());
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['chart-of.ts', 'published.ts', 'versions.ts'])
    hash.update(await readFile(join(import.meta.dirname, file)));
  return hash.digest('hex').slice(0, 16);
}
