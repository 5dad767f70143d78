import { once } from 'node:events';
import { kubeconfigOf } from '../kube/kubeconfig.ts';
import type { PodContext } from '../pod-runner/program.ts';
import { controlPlaneOf, syncerPort, vclusterName } from './names.ts';

/** The file where the API server stores the kubeconfig for the syncer. */
export const k3sKubeconfig = '/data/k3s-config/kube-config.yaml';

/**
 * The API server of a vcluster: a whole control plane with a node of its own, whereas a vcluster's syncer would run its pods on the
 * hosting cluster, and would be in front of it.
 */
export async function k3s(context: PodContext): Promise<void> {
  const { pod, signal } = context;
  const { namespace = '', name } = pod.metadata;
  const service = ['', '.svc', '.svc.cluster.local'].map(
    (suffix) => `${vclusterName}.${namespace}${suffix}`,
  );
  const plane = await context.startPlane({
    name: controlPlaneOf(namespace) ?? name,
    port: syncerPort,
    hosts: [vclusterName, ...service, ...extraNames(pod)],
  });
  const admin = await plane.issueUser('system:admin', ['system:masters']);
  const entry = plane.entryFor('my-vcluster', admin);
  context.writeFile(
    k3sKubeconfig,
    kubeconfigOf([{ ...entry, context: 'my-vcluster', cluster: 'my-vcluster' }]),
  );
  context.log('k3s is up and running');
  context.setReady(true);
  if (!signal.aborted) await once(signal, 'abort');
}

/** The names of the syncer in KubeFlex. */
function extraNames({ spec }: PodContext['pod']): string[] {
  const args = spec.containers.flatMap((container) => container.args ?? []);
  return args.flatMap((arg) => /^--tls-san=(.+)$/.exec(arg)?.[1] ?? []);
}
