import { parse, stringify } from 'yaml';
import { isNotFound } from '../kube/errors.ts';
import type { AnyObject, Secret } from '../kube/objects.ts';
import { secrets, statefulSets } from '../kube/resources.ts';
import { type KubeFlexConfig, ownerReference, type Reconciled } from './cluster.ts';
import { updateClusterInfoJob } from './cluster-info-job.ts';
import { ensureIngress } from './ingress.ts';
import {
  nodePortService,
  syncerPort,
  vclusterInClusterKey,
  vclusterKey,
  vclusterName,
  vclusterSecret,
} from './names.ts';
import { installChart } from './vcluster-chart.ts';

/** Type vcluster: the chart of that name, with a NodePort, an Ingress and the Job that publishes its internal address. */
export async function reconcileVcluster(its: Reconciled, config: KubeFlexConfig, version: string): Promise<void> {
  await ensureIngress(its, vclusterName, config.domain);
  await installChart(its, config);
  await its.ensure<AnyObject>({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: nodePortService, namespace: its.namespace },
    spec: {
      type: 'NodePort',
      selector: { app: vclusterName, release: vclusterName },
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: syncerPort }],
    },
  });
  await adoptStatefulSet(its);
  for (const object of updateClusterInfoJob(its.namespace, config, version)) await its.ensure(object);
  await addInClusterKubeconfig(its);
}

/** Makes KubeFlex notice changes of the chart's objects. */
async function adoptStatefulSet(its: Reconciled): Promise<void> {
  const present = await its.get<AnyObject>(statefulSets, `${its.namespace}/${vclusterName}`);
  const reference = ownerReference(its.controlPlane);
  if (present.metadata.ownerReferences?.some(({ uid }) => uid === reference.uid)) return;
  await its.api.update(statefulSets, its.own(present));
}

/** The syncer writes the Secret when the API server runs; until then this fails, and is retried. */
async function addInClusterKubeconfig(its: Reconciled): Promise<void> {
  const key = `${its.namespace}/${vclusterSecret}`;
  const secret = await its.get<Secret>(secrets, key).catch((error: Error) => {
    if (isNotFound(error)) throw new Error(`failed to get kubeconfig secret: ${error.message}`);
    throw error;
  });
  const outside = Buffer.from(secret.data?.[vclusterKey] ?? '', 'base64').toString();
  if (!outside) throw new Error('no kubeconfig found in vcluster kubeconfig secret');
  const config = parse(outside) as { clusters: { cluster: { server: string } }[] };
  for (const { cluster } of config.clusters) cluster.server = `https://${vclusterName}.${its.namespace}`;
  const inside = Buffer.from(stringify(config)).toString('base64');
  if (secret.data?.[vclusterInClusterKey] === inside) return;
  await its.api.update<Secret>(secrets, { ...secret, data: { ...secret.data, [vclusterInClusterKey]: inside } });
}
