import { once } from 'node:events';
import { kubeconfigOf } from '../kube/kubeconfig.ts';
import type { PodContext } from '../pod-runner/program.ts';
import { controlPlaneOf, syncerPort, vclusterName } from './names.ts';

/** Where the API server leaves the kubeconfig for the syncer beside it. */
export const k3sKubeconfig = '/data/k3s-config/kube-config.yaml';

/**
 * The API server of a vcluster: a whole control plane with a node of its own, where a vcluster's syncer would have its
 * pods run on the hosting cluster, and would stand before it.
 */
export async function k3s(context: PodContext): Promise<void> {
  const { pod, signal } = context;
  const { namespace = '', name } = pod.metadata;
  const service = ['', '.svc', '.svc.cluster.local'].map((suffix) => `${vclusterName}.${namespace}${suffix}`);
  const plane = await context.startPlane({
    name: controlPlaneOf(namespace) ?? name,
    port: syncerPort,
    hosts: [vclusterName, ...service, ...extraNames(pod)],
    hasNode: true,
  });
  const admin = await plane.issueUser('system:admin', ['system:masters']);
  const entry = plane.entryFor('my-vcluster', admin);
  context.writeFile(k3sKubeconfig, kubeconfigOf([{ ...entry, context: 'my-vcluster', cluster: 'my-vcluster' }]));
  context.log('k3s is up and running');
  context.setReady(true);
  if (!signal.aborted) await once(signal, 'abort');
}

/** The names that KubeFlex gives to the syncer. */
function extraNames({ spec }: PodContext['pod']): string[] {
  const args = spec.containers.flatMap((container) => container.args ?? []);
  return args.flatMap((arg) => /^--tls-san=(.+)$/.exec(arg)?.[1] ?? []);
}
