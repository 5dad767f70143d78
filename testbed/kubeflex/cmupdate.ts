import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { readCurrentContext } from '../kube/kubeconfig.ts';
import type { ConfigMap, Deployment, Secret, Service } from '../kube/objects.ts';
import { configMaps, secrets, services, statefulSets } from '../kube/resources.ts';
import { Exit, type PodContext } from '../pod-runner/program.ts';
import { nodePortService, vclusterName } from './names.ts';

const key = 'kube-public/cluster-info';

/**
 * The program of the Job update-cluster-info (cmd/cmupdate of kubestellar/kubeflex): writes the node and the NodePort at which
 * other clusters reach the vcluster into its cluster-info.
 */
export async function cmupdate(context: PodContext): Promise<void> {
  const { api, env, log } = context;
  const namespace = env.KUBERNETES_NAMESPACE ?? '';
  log(`Current Namespace: ${namespace}`);
  log(`Using hostContainer: ${env.HOST_CONTAINER}`);
  log('Waiting for API server to become available...');
  await untilReady(context, namespace);
  log('API server ready.');
  const { spec } = await api.get<Service>(services, `${namespace}/${nodePortService}`);
  const nodePort = spec.ports?.find(({ name }) => name === 'https')?.nodePort;
  const { data = {} } = await api.get<Secret>(secrets, `${namespace}/${env.KUBECONFIG_SECRET}`);
  const kubeconfig = Buffer.from(data[env.KUBECONFIG_SECRET_KEY ?? ''] ?? '', 'base64').toString();
  if (!kubeconfig)
    throw new Exit(
      `Error getting kubeconfig for hosted server: key ${env.KUBECONFIG_SECRET_KEY} not found in kubeconfig secret`,
    );
  await publish(context, kubeconfig, namespace, `https://${env.HOST_CONTAINER}:${nodePort}`);
  log('ConfigMap updated successfully!');
}

async function untilReady({ api, signal }: PodContext, namespace: string): Promise<void> {
  for (const deadline = Date.now() + 600_000; !signal.aborted; await sleep(500)) {
    const { spec, status } = await api.get<Deployment>(statefulSets, `${namespace}/${vclusterName}`);
    if (status?.readyReplicas === (spec.replicas ?? 1)) return;
    if (Date.now() > deadline)
      throw new Exit('Error waiting for stateful set to become ready: the StatefulSet did not become ready in time');
  }
}

async function publish(context: PodContext, kubeconfig: string, namespace: string, server: string): Promise<void> {
  const { connection, cluster } = readCurrentContext(kubeconfig);
  const hosted = context.connect({ ...connection, server: `https://${vclusterName}.${namespace}` });
  const present = await hosted.find<ConfigMap & { immutable?: boolean }>(configMaps, key);
  const info = present?.data?.kubeconfig
    ? (parse(present.data.kubeconfig) as { clusters: { name: string; cluster: { server: string } }[] })
    : { apiVersion: 'v1', kind: 'Config', clusters: [{ name: '', cluster: { ...cluster } }] };
  const entry = info.clusters.find(({ name }) => name === '');
  if (!entry) throw new Error('runtime error: invalid memory address or nil pointer dereference');
  entry.cluster.server = server;
  const data = { ...present?.data, kubeconfig: stringify(info) };
  if (present && !present.immutable) {
    await hosted.update<ConfigMap>(configMaps, { ...present, data });
    return;
  }
  if (present) await hosted.delete(configMaps, key);
  const annotations = { 'kubestellar.io/generated': 'true', ...present?.metadata.annotations };
  await hosted.create<ConfigMap & { immutable: boolean }>(configMaps, {
    metadata: { namespace: 'kube-public', name: 'cluster-info', annotations },
    immutable: true,
    data,
  });
}
