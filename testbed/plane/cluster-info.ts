import { kubeconfigOf } from '../kube/kubeconfig.ts';
import type { AnyObject } from '../kube/objects.ts';
import { configMaps } from '../kube/resources.ts';
import type { Plane } from './plane.ts';

/**
 * Publishes kube-public/cluster-info as kubeadm does for its clusters: one cluster, with the address and the CA for other clusters.
 * An existing one stays.
 */
export async function publishClusterInfo({ admin, internalServer, caPem }: Plane): Promise<void> {
  const connection = { server: internalServer, caPem };
  const kubeconfig = kubeconfigOf([{ context: '', cluster: '', user: '', connection }]);
  const metadata = { name: 'cluster-info', namespace: 'kube-public' };
  await admin.ensure<AnyObject>(configMaps, { metadata, immutable: true, data: { kubeconfig } });
}
