import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { chartOf, ingressChart } from '../charts/chart-of.ts';
import type { AnyObject } from '../kube/objects.ts';
import { postgresqlObjects } from '../kubestellar/postgresql.ts';
import { statusAddonObjects } from '../kubestellar/status-addon-chart.ts';
import { engineFolder } from './folder.ts';
import type { Registry } from './registry.ts';

const namespace = '{{ .Release.Namespace }}';

/** Charts that no module has, as the bed writes them: their repositories, versions, values and objects. */
const written = [
  {
    ...{ name: 'postgresql', repository: 'kubestellar/charts', version: '13.1.5' },
    values: { global: { imageRegistry: 'quay.io' } },
    objects: () =>
      postgresqlObjects('{{ .Release.Name }}', namespace, '{{ .Values.global.imageRegistry }}').map(
        withPassword,
      ),
  },
  {
    ...{ name: 'ocm-status-addon-chart', repository: 'kubestellar', version: 'v0.2.0-rc17' },
    values: {},
    objects: () => statusAddonObjects('', namespace, '0.2.0-rc17'),
  },
];

/** In a container, PostgreSQL has to be told the password, which the bed's stand-in does not ask for. */
function withPassword(object: AnyObject): AnyObject {
  if (object.kind !== 'StatefulSet') return object;
  const changed = structuredClone(object) as AnyObject & {
    spec: { template: { spec: { containers: { env?: object[] }[] } } };
  };
  const secretKeyRef = { name: object.metadata.name, key: 'postgres-password' };
  for (const container of changed.spec.template.spec.containers)
    container.env = [{ name: 'POSTGRES_PASSWORD', valueFrom: { secretKeyRef } }];
  return changed;
}

/** Pushes the charts of an installation. @param helm the program @returns the file of the ingress's chart */
export async function pushCharts(registry: Registry, helm: string): Promise<string> {
  const scratch = await mkdtemp(join(engineFolder(), 'charts-'));
  const env = { HELM_CACHE_HOME: scratch, HELM_CONFIG_HOME: scratch, HELM_DATA_HOME: scratch };
  const run = async (...args: string[]) => execa(helm, args, { env, cwd: scratch });
  // To names of the loopback address, helm speaks plain HTTP.
  const push = (file: string, repository: string) =>
    run('push', file, `oci://${registry.address}/${repository}`, '--insecure-skip-tls-verify');
  try {
    await push(await chartOf(), 'kubestellar/kubestellar');
    for (const chart of written) {
      const folder = join(scratch, chart.name);
      await writeChart(folder, chart);
      await run('package', folder);
      await push(`${chart.name}-${chart.version}.tgz`, chart.repository);
    }
    const kept = join(engineFolder(), 'charts');
    await run('package', ingressChart, '--destination', kept);
    return join(kept, 'traefik-41.3.0.tgz');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function writeChart(
  folder: string,
  { name, version, values, objects }: (typeof written)[number],
): Promise<void> {
  const templates = join(folder, 'templates');
  await mkdir(templates, { recursive: true });
  const about = { apiVersion: 'v2', name, version, appVersion: version };
  await writeFile(join(folder, 'Chart.yaml'), stringify(about));
  await writeFile(join(folder, 'values.yaml'), stringify(values));
  const documents = objects().map((object) => stringify(object, { lineWidth: 0 }));
  await writeFile(join(templates, 'objects.yaml'), documents.join('---\n'));
}
