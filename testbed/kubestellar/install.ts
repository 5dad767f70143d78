import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { chartOf } from '../charts/chart-of.ts';
import { type ChartVersionName, currentChart } from '../charts/versions.ts';
import { writeChart } from '../charts/written.ts';
import { isTrue } from '../kube/conditions.ts';
import { kubeconfigOf } from '../kube/kubeconfig.ts';
import type { Condition, Deployment } from '../kube/objects.ts';
import { deployments } from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import { publishClusterInfo } from '../plane/cluster-info.ts';
import type { Plane } from '../plane/plane.ts';
import { buildHelm } from '../programs/build.ts';

const run = promisify(execFile);
const manager = 'kubeflex-system/kubeflex-controller-manager';

export interface KubeStellarOptions {
  /** The chart's version, 0.30.0 by default. */
  version?: ChartVersionName;
  /** Values of the core chart: ITSes, WDSes … */
  values?: Record<string, unknown>;
  /** The port of this machine for control planes: that of the plane's ingress, else 9443, by default. */
  externalPort?: number;
  /** The release's name and namespace: ks-core in default. */
  release?: string;
  namespace?: string;
}

/**
 * Makes a plane a hosting cluster, by the real helm and the bed's core chart, and waits until KubeFlex's manager is
 * ready. Like kind's clusters, the plane publishes its address in kube-public/cluster-info from then on.
 */
export async function installKubeStellar(
  plane: Plane,
  {
    version = currentChart,
    values = {},
    externalPort = plane.ingressPort ?? 9443,
    release = 'ks-core',
    namespace = 'default',
  }: KubeStellarOptions = {},
): Promise<void> {
  await publishClusterInfo(plane);
  const operator = { externalPort: String(externalPort), hostContainer: plane.nodeName };
  const given = values['kubeflex-operator'] as object | undefined;
  const all = { ...values, 'kubeflex-operator': { ...operator, ...given } };
  const chart = await chartOf(version);
  await upgradeInstall(plane, { release, namespace, chart, values: all });
  await untilAvailable(plane, manager);
}

/**
 * Leaves a plane as `kflex init` does: KubeFlex and its PostgreSQL as separate releases in kubeflex-system, and no KubeStellar
 * hooks.
 */
export async function installKubeFlexOnly(
  plane: Plane,
  {
    version = currentChart,
    externalPort = plane.ingressPort ?? 9443,
  }: Pick<KubeStellarOptions, 'version' | 'externalPort'> = {},
): Promise<void> {
  const namespace = 'kubeflex-system';
  const release = 'kubeflex-operator';
  await publishClusterInfo(plane);
  const postgresql = join(plane.dir, 'postgresql');
  writeChart(postgresql, 'postgresql', '13.1.5');
  await upgradeInstall(plane, { release: 'postgres', namespace, chart: postgresql, values: {} });
  const chart = await chartOf(version, release);
  const values = {
    externalPort: String(externalPort),
    hostContainer: plane.nodeName,
    installPostgreSQL: false,
  };
  await upgradeInstall(plane, { release, namespace, chart, values });
  await untilAvailable(plane, manager);
}

interface HelmRelease {
  release: string;
  namespace: string;
  chart: string;
  values: object;
}

async function upgradeInstall(
  plane: Plane,
  { release, namespace, chart, values }: HelmRelease,
): Promise<void> {
  const args = [
    'upgrade',
    '--install',
    release,
    chart,
    '--namespace',
    namespace,
    '--create-namespace',
  ];
  await runHelm(plane, args, values);
}

/** Runs the real helm against a plane, with the bed's own permissions; returns its output. */
export async function runHelm(
  plane: Plane,
  args: readonly string[],
  values?: object,
): Promise<string> {
  const helm = join(await buildHelm(), 'helm');
  const dir = await mkdtemp(join(tmpdir(), 'stellarctl-bed-helm-'));
  try {
    const kubeconfig = join(dir, 'kubeconfig');
    await writeFile(
      kubeconfig,
      kubeconfigOf([plane.entryFor('bed', plane.admin.connection as object)]),
      { mode: 0o600 },
    );
    const all = [...args, '--kubeconfig', kubeconfig];
    if (values) {
      const file = join(dir, 'values.yaml');
      await writeFile(file, stringify(values));
      all.push('--values', file);
    }
    const { stdout } = await run(helm, all, {
      env: { ...process.env, HELM_CACHE_HOME: dir, HELM_CONFIG_HOME: dir },
    });
    return stdout;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function untilAvailable(plane: Plane, key: string): Promise<void> {
  await until(async () => {
    const found = await plane.admin.find<Deployment & { status?: { conditions?: Condition[] } }>(
      deployments,
      key,
    );
    return isTrue(found?.status?.conditions, 'Available');
  }, `available ${key} on ${plane.name}`);
}
