import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { chartOf, ingressChart } from '../charts/chart-of.ts';
import type { AnyObject } from '../kube/objects.ts';
import { vclusterObjects } from '../kubeflex/vcluster-chart.ts';
import { postgresqlObjects } from '../kubestellar/postgresql.ts';
import { statusAddonObjects } from '../kubestellar/status-addon-chart.ts';
import { chartServerName } from './authority.ts';
import { chartFolder } from './chart-server.ts';
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

/** What KubeFlex passes to the syncer: a name, the address for users, and another name (kubeflex 0.9.3 pkg/reconcilers/vcluster/chart.go). */
const syncerWords = [0, 1, 2].map((index) => `{{ index .Values.syncer.extraArgs ${index} }}`);

/** The bed's objects of vcluster, for a node in the pod (stand-ins/k3s.sh): with its data on a volume, and everything that a kubelet needs. */
const vcluster = {
  ...{ name: 'vcluster', version: '0.16.4', values: {} },
  objects: () => vclusterObjects(namespace, syncerWords).map(withNode),
};

function withNode(object: AnyObject): AnyObject {
  if (object.kind !== 'StatefulSet') return object;
  const changed = structuredClone(object) as AnyObject & {
    spec: {
      volumeClaimTemplates?: object[];
      template: { spec: { volumes: object[]; containers: Record<string, unknown>[] } };
    };
  };
  const { spec } = changed;
  spec.volumeClaimTemplates = [
    {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '5Gi' } } },
    },
  ];
  const scratch = ['containerd', 'kubelet'];
  spec.template.spec.volumes = scratch.map((name) => ({ name, emptyDir: {} }));
  const [server = {}] = spec.template.spec.containers;
  const names = syncerWords.map((word) => `${word.slice(0, -2)}| trimPrefix "--tls-san=" }}`);
  const service = ['vcluster', `vcluster.${namespace}`, `vcluster.${namespace}.svc`];
  const tlsNames = [names[0], names[2], ...service].join();
  Object.assign(server, {
    securityContext: { privileged: true },
    env: [{ name: 'TLS_NAMES', value: tlsNames }],
    volumeMounts: [
      { name: 'data', mountPath: '/data' },
      ...scratch.map((name) => ({ name, mountPath: `/var/lib/${name}` })),
    ],
    readinessProbe: { httpGet: { path: '/readyz', port: 8443, scheme: 'HTTPS' }, periodSeconds: 2 },
  });
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
    await writeChart(join(scratch, vcluster.name), vcluster);
    await mkdir(chartFolder(), { recursive: true });
    await run('package', join(scratch, vcluster.name), '--destination', chartFolder());
    await run('repo', 'index', chartFolder(), '--url', `https://${chartServerName}`);
    return join(kept, 'traefik-41.3.0.tgz');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function writeChart(
  folder: string,
  { name, version, values, objects }: (typeof written)[number] | typeof vcluster,
): Promise<void> {
  const templates = join(folder, 'templates');
  await mkdir(templates, { recursive: true });
  const about = { apiVersion: 'v2', name, version, appVersion: version };
  await writeFile(join(folder, 'Chart.yaml'), stringify(about));
  await writeFile(join(folder, 'values.yaml'), stringify(values));
  const documents = objects().map((object) => stringify(object, { lineWidth: 0 }));
  await writeFile(join(templates, 'objects.yaml'), documents.join('---\n'));
}
