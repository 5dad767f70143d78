import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { chartOf, ingressChart } from '../charts/chart-of.ts';
import { namespace, syncerWords, writeChart } from '../charts/written.ts';
import type { AnyObject } from '../kube/objects.ts';
import { chartServerName } from './authority.ts';
import { chartFolder } from './chart-server.ts';
import { engineFolder } from './folder.ts';
import type { Registry } from './registry.ts';

/** The charts of a registry that no module has, by name: their repositories and versions. */
const written = [
  { name: 'postgresql', repository: 'kubestellar/charts', version: '13.1.5' },
  { name: 'ocm-status-addon-chart', repository: 'kubestellar', version: 'v0.2.0-rc17' },
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

/** Of vcluster's chart, for a node in the pod (stand-ins/k3s.sh): with its data on a volume, and everything that a kubelet needs. */
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
    for (const { name, version, repository } of written) {
      writeChart(join(scratch, name), name, version, withPassword);
      await run('package', name);
      await push(`${name}-${version}.tgz`, repository);
    }
    const kept = join(engineFolder(), 'charts');
    await run('package', ingressChart, '--destination', kept);
    writeChart(join(scratch, 'vcluster'), 'vcluster', '0.16.4', withNode);
    await mkdir(chartFolder(), { recursive: true });
    await run('package', 'vcluster', '--destination', chartFolder());
    await run('repo', 'index', chartFolder(), '--url', `https://${chartServerName}`);
    return join(kept, 'traefik-41.3.0.tgz');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
