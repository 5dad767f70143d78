import type { AnyObject, Deployment } from '../kube/objects.ts';
import {
  clusterRoleBindings,
  clusterRoles,
  customResourceDefinitions,
  secrets,
  statefulSets,
} from '../kube/resources.ts';
import { ownerReference, type Reconciled } from './cluster.ts';
import { finalizer, postgresSecret, systemNamespace } from './names.ts';

/** Lets the garbage collector delete the control plane's objects outside namespaces, then removes its finalizer. */
export async function letGo(its: Reconciled): Promise<void> {
  const { finalizers = [] } = its.controlPlane.metadata;
  if (!finalizers.includes(finalizer)) return;
  await ownClusterScoped(its);
  if (its.controlPlane.spec.type === 'k8s') await dropDatabase(its);
  await its.updateMetadata({ finalizers: finalizers.filter((each) => each !== finalizer) });
}

async function ownClusterScoped(its: Reconciled): Promise<void> {
  const labelSelector = 'app.kubernetes.io/managed-by=Helm';
  for (const resource of [clusterRoles, clusterRoleBindings, customResourceDefinitions]) {
    const { items } = await its.api.list<AnyObject>(resource, { labelSelector });
    for (const object of items) {
      const { annotations = {}, ownerReferences = [] } = object.metadata;
      if (annotations['meta.helm.sh/release-namespace'] !== its.namespace) continue;
      if (ownerReferences.some(({ uid }) => uid === ownerReference(its.controlPlane).uid)) continue;
      await its.api.update(resource, its.own(object));
    }
  }
}

/** The shared PostgreSQL has a database for each control plane; without the server none of them can be deleted. */
async function dropDatabase(its: Reconciled): Promise<void> {
  await its.get(secrets, `${systemNamespace}/${postgresSecret}`);
  const server = await its.api.find<Deployment>(statefulSets, `${systemNamespace}/${postgresSecret}`);
  if (!server?.status?.readyReplicas)
    throw new Error(
      `unable to connect to database: hostname resolving error: lookup ${postgresSecret}.${systemNamespace}.svc`,
    );
}
