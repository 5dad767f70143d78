import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kubeconfigOf } from '../kube/kubeconfig.ts';
import type { AnyObject } from '../kube/objects.ts';
import {
  bindingPolicies,
  bindings,
  combinedStatuses,
  controlPlanes,
  customResourceDefinitions,
  customTransforms,
  namespaces,
  secrets,
  statusCollectors,
} from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import { workStatusCrd } from '../kubestellar/status-addon-chart.ts';
import { crd } from '../ocm/crds.ts';
import type { Plane } from '../plane/plane.ts';
import { withoutProxies } from '../plane/processes.ts';
import { buildPrograms } from '../programs/build.ts';
import { StubObjects } from '../stub-wecs/objects.ts';
import { StubServer } from '../stub-wecs/server.ts';

export interface WdsOptions {
  /** By default that of its plane. */
  name?: string;
  /** By default `k8s`, as KubeFlex makes it: nothing in it runs workloads. */
  type?: 'k8s' | 'host';
  /** The maximum contents of one work; by default 1 object of 512,000 bytes, as in the chart. */
  objects?: number;
  bytes?: number;
  /** Requests a second to a space; by default 5, as with the chart. */
  rate?: number;
}

export interface RunningWds {
  /** As when the WDS cannot be reached: Bindings follow clusters, and works stay as they are. */
  stopTransport(): void;
  startTransport(): void;
  stop(): void;
}

/** The controllers that a control plane of type k8s lacks. */
const workloadControllers = ['deployment', 'job', 'replicaset', 'statefulset'].map(
  (name) => `${name}-controller`,
);

/**
 * Makes a plane a WDS of an ITS, without KubeFlex: KubeStellar's two programs run for it, as processes, until they are stopped. They find
 * both spaces as on a hosting cluster, whose few objects are a stub's.
 */
export async function runWds(
  wds: Plane,
  its: Plane,
  { name = wds.name, type = 'k8s', objects = 1, bytes = 512_000, rate = 5 }: WdsOptions = {},
): Promise<RunningWds> {
  // Without this kind the controller manager waits for it.
  await its.admin.ensure(customResourceDefinitions, workStatusCrd);
  if (type === 'k8s') await wds.runControllers({ without: workloadControllers });
  const dir = await mkdtemp(join(wds.dir, 'kubestellar-'));
  const programs = await buildPrograms(() => {});
  const transport = join(dir, 'ocm-transport-controller');
  await symlink(join(programs, 'ocm'), transport);
  const hosting = await StubServer.create();
  const files: Record<string, string> = {};
  const entries = {
    wds: wds.bedEntry,
    its: its.bedEntry,
    hosting: await hosting.add('hosting', hostingObjects({ name, plane: wds }, its)),
  };
  for (const [name, entry] of Object.entries(entries)) {
    files[name] = join(dir, `${name}.kubeconfig`);
    await writeFile(files[name], kubeconfigOf([entry]), { mode: 0o600 });
  }
  const noPorts = ['--metrics-bind-address=127.0.0.1:0', '--pprof-bind-address=127.0.0.1:0'];
  const ratesOf = (...spaces: string[]) =>
    spaces.flatMap((space) => [`--${space}-qps=${rate}`, `--${space}-burst=${2 * rate}`]);
  const common = [`--wds-name=${name}`, ...noPorts];
  const stopManager = keep(
    dir,
    [
      join(programs, 'controller-manager'),
      `--its-name=${its.name}`,
      '--health-probe-bind-address=127.0.0.1:0',
      ...ratesOf('wds', 'its'),
      ...common,
    ],
    { KUBECONFIG: files.hosting ?? '' },
  );
  let stopTransport = () => {};
  const stop = () => {
    stopTransport();
    stopManager();
    hosting.stop();
  };
  AbortSignal.any([wds.gone, its.gone]).addEventListener('abort', stop);
  const kinds = [bindingPolicies, bindings, combinedStatuses, customTransforms, statusCollectors];
  const served = () => Promise.all(kinds.map((kind) => wds.admin.list(kind)));
  await until(() => served().catch(() => undefined), 'served kinds of a WDS');
  const limits = [`--max-num-wrapped=${objects}`, `--max-size-wrapped=${bytes}`];
  const spaces = [`--wds-kubeconfig=${files.wds}`, `--transport-kubeconfig=${files.its}`];
  const startTransport = () => {
    stopTransport = keep(
      dir,
      [transport, ...spaces, ...limits, ...ratesOf('wds', 'transport'), ...common],
      {},
    );
  };
  startTransport();
  return { stopTransport: () => stopTransport(), startTransport, stop };
}

/** What KubeFlex leaves on a hosting cluster for KubeStellar's controllers: its record of both spaces, and their kubeconfigs. */
function hostingObjects(wds: { name: string; plane: Plane }, its: Plane): StubObjects {
  const objects = new StubObjects();
  const create = (resource: Parameters<StubObjects['kindOf']>[0], object: AnyObject) =>
    objects.create(objects.kindOf(resource), object);
  const [group = '', version = ''] = controlPlanes.apiVersion.split('/');
  create(
    customResourceDefinitions,
    crd({ group, versions: [version], kind: controlPlanes.kind, scope: 'Cluster' }),
  );
  for (const [cptype, { name, plane }] of Object.entries({
    wds,
    its: { name: its.name, plane: its },
  })) {
    const namespace = `${name}-system`;
    const secretRef = {
      namespace,
      name: 'admin-kubeconfig',
      key: 'kubeconfig',
      inClusterKey: 'kubeconfig-incluster',
    };
    create(namespaces, { metadata: { name: namespace } });
    const data = { kubeconfig: Buffer.from(kubeconfigOf([plane.bedEntry])).toString('base64') };
    create(secrets, { metadata: { name: secretRef.name, namespace }, data } as AnyObject);
    create(controlPlanes, {
      metadata: { name, labels: { 'kflex.kubestellar.io/cptype': cptype } },
      status: { secretRef },
    } as AnyObject);
  }
  return objects;
}

/** Starts a program again whenever it ends, as a kubelet does, in a process group of its own, until the standard input is closed. */
const keeper =
  'set -m; (while :; do "$@"; sleep 1; done) </dev/null & read -r _; kill -KILL -- -$!';

/** Runs a program until it is stopped, or until this process ends. KubeStellar's controller manager crashes where it confuses statuses (conflicts.ts). */
function keep(
  dir: string,
  command: readonly string[],
  variables: Record<string, string>,
): () => void {
  const log = openSync(join(dir, 'log'), 'a');
  const env = { ...withoutProxies(process.env), GOMAXPROCS: '1', ...variables };
  const running = spawn('bash', ['-c', keeper, 'bash', ...command], {
    cwd: dir,
    env,
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  return () => running.stdin?.end();
}
