import type { Api, Connection } from '../kube/api.ts';
import { readCurrentContext } from '../kube/kubeconfig.ts';
import type { AnyObject, Deployment, Secret } from '../kube/objects.ts';
import { deployments, secrets, statefulSets } from '../kube/resources.ts';
import type { Reconciled } from './cluster.ts';
import { apiServerName, vclusterName } from './names.ts';
import { ocmName } from './ocm.ts';

/** Whether the API server runs; assumed for types host and external. */
export async function isApiServerReady(its: Reconciled): Promise<boolean> {
  const { type } = its.controlPlane.spec;
  if (type === 'host' || type === 'external') return true;
  const name = type === 'ocm' ? ocmName : apiServerName;
  const [resource, key] = type === 'vcluster' ? [statefulSets, vclusterName] : [deployments, name];
  return areReplicasReady(await its.get<Deployment>(resource, `${its.namespace}/${key}`));
}

function areReplicasReady({ spec, status }: Deployment): boolean {
  const wanted = spec.replicas ?? 1;
  return wanted > 0 && (status?.replicas ?? 0) === wanted && (status?.readyReplicas ?? 0) === wanted;
}

/** Whether the API server answers on its internal address. */
export async function isApiServing(its: Reconciled, connect: (connection: Connection) => Api): Promise<boolean> {
  const { spec, status } = its.controlPlane;
  if (spec.type === 'host' || spec.type === 'external') return true;
  const { secretRef } = status ?? {};
  if (!secretRef) return false;
  const secret = await its.api.find<Secret>(secrets, `${secretRef.namespace}/${secretRef.name}`);
  const kubeconfig = secret?.data?.[secretRef.inClusterKey];
  if (!kubeconfig) return false;
  const client = connect(readCurrentContext(Buffer.from(kubeconfig, 'base64').toString()).connection);
  try {
    await client.send<AnyObject>('GET', '/api/v1');
    return true;
  } catch {
    return false;
  } finally {
    client.close();
  }
}
