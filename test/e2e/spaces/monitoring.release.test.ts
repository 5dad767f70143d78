/** The metrics of docs/monitoring: the real kube-state-metrics, with the rights of a viewer, on spaces of the default types. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { parse, stringify } from 'yaml';
import { buildKubeStateMetrics, freePort, until } from '../../../testbed/index.ts';
import { type HostingBed, type SpaceCli, startHosting } from '../support/spaces.ts';

const config = path.resolve(
  import.meta.dirname,
  '../../../docs/monitoring/kube-state-metrics.yaml',
);
let all: HostingBed;
let cli: SpaceCli;
let folder: string;
let program: string;
const running: ChildProcess[] = [];

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'monitoring-'));
  program = await buildKubeStateMetrics();
  all = await startHosting([{ name: 'cluster1' }]);
  ({ cli } = all);
  await cli.type('its create its1');
  await cli.type('wds create wds1');
  await cli.type('wec join cluster1 --its its1 --accept --label location-group=edge');
  await cli.type(
    'policy create all --clusters location-group=edge --select namespaces -l app=all --yes --allow-errors --wds wds1',
  );
});

after(async () => {
  for (const each of running) each.kill('SIGKILL');
  await all?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs kube-state-metrics with a kubeconfig. @returns what it shows */
async function metricsOf(kubeconfig: string): Promise<() => Promise<string>> {
  const text = parse(await readFile(kubeconfig, 'utf8'));
  const current = text.contexts.find(
    ({ name }: { name: string }) => name === text['current-context'],
  );
  const { cluster } = text.clusters.find(
    ({ name }: { name: string }) => name === current.context.cluster,
  );
  const { hostname, port } = new URL(cluster.server);
  // Its name does not resolve here.
  if (hostname.endsWith('.localtest.me'))
    Object.assign(cluster, { server: `https://127.0.0.1:${port}`, 'tls-server-name': hostname });
  const file = path.join(folder, path.basename(kubeconfig));
  await writeFile(file, stringify(text), { mode: 0o600 });
  const ports = [await freePort(), await freePort()];
  const flags = [
    '--kubeconfig',
    file,
    '--custom-resource-state-only',
    '--custom-resource-state-config-file',
    config,
  ];
  const where = [
    '--host',
    '127.0.0.1',
    '--port',
    `${ports[0]}`,
    '--telemetry-host',
    '127.0.0.1',
    '--telemetry-port',
    `${ports[1]}`,
  ];
  running.push(spawn(program, [...flags, ...where], { stdio: 'inherit' }));
  return async () => (await fetch(`http://127.0.0.1:${ports[0]}/metrics`)).text();
}

async function shows(metrics: () => Promise<string>, ...lines: string[]) {
  let text = '';
  const hasAll = async () => {
    text = await metrics().catch(() => '');
    return lines.every((line) => text.includes(`\n${line}`));
  };
  await until(hasAll, lines.join('\n')).catch((error: Error) =>
    assert.fail(`${error.message}\n${text}`),
  );
}

const viewer = async (noun: string) => {
  const file = path.join(cli.home, noun);
  await cli.type(`${noun} context ${noun}1 --role viewer --export ${file}`);
  return file;
};
const given = 'customresource_group';

it('of an ITS: its WECs and works', async () => {
  const metrics = await metricsOf(await viewer('its'));
  const wec = `${given}="cluster.open-cluster-management.io",customresource_kind="ManagedCluster",customresource_version="v1"`;
  const available = 'status="True",type="ManagedClusterConditionAvailable",wec="cluster1"';
  await shows(
    metrics,
    `kubestellar_wec_accepted{${wec},wec="cluster1"} 1`,
    `kubestellar_wec_condition{${wec},${available}} 1`,
    `kubestellar_wec_condition{${wec},${available.replace('True', 'Unknown')}} 0`,
  );
});

it('of a WDS: its Bindings', async () => {
  const metrics = await metricsOf(await viewer('wds'));
  const binding = `${given}="control.kubestellar.io",customresource_kind="Binding",customresource_version="v1alpha1",policy="all"`;
  await shows(
    metrics,
    `kubestellar_binding_destination_info{${binding},wec="cluster1"} 1`,
    `kubestellar_binding_generation{${binding}} `,
    `kubestellar_binding_observed_generation{${binding}} `,
  );
});

it('of the hosting cluster: its spaces', async () => {
  const file = path.join(cli.home, 'hosting');
  const text = parse(await readFile(all.bed.kubeconfig, 'utf8'));
  await writeFile(file, stringify({ ...text, 'current-context': 'hosting' }));
  const space = `${given}="tenancy.kflex.kubestellar.org",customresource_kind="ControlPlane",customresource_version="v1alpha1"`;
  await shows(
    await metricsOf(file),
    `kubestellar_space_condition{${space},space="its1",space_type="vcluster",status="True",type="Ready"} 1`,
    `kubestellar_space_condition{${space},space="wds1",space_type="k8s",status="True",type="Ready"} 1`,
  );
});
