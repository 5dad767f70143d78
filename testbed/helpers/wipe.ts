import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, keyOf } from '../kube/api.ts';
import { discover } from '../kube/discovery.ts';
import type { KubeObject } from '../kube/objects.ts';
import {
  certificateSigningRequests,
  clusterRoleBindings,
  clusterRoles,
  customResourceDefinitions,
  klusterlets,
  managedClusters,
  namespaces,
  type Resource,
  roleBindings,
  roles,
} from '../kube/resources.ts';
import { untilAnswered } from '../kube/retry.ts';
import {
  addonNamespace,
  agentNamespace,
  clusterNameLabel,
  hubNamespace,
  operatorNamespace,
} from '../ocm/names.ts';
import type { Plane } from '../plane/plane.ts';

/**
 * Deletes everything that a registration left on both planes, without the programs that would do it properly, so the next test
 * finds clean planes. Takes about a second.
 */
export async function wipeWec(hub: Plane, wec: Plane, name: string): Promise<void> {
  await wipeKlusterlet(wec);
  await wipeCluster(hub, name);
}

/** Deletes everything that registrations left on a plane: a hub's clusters and requests, or the klusterlet of another one. */
export async function wipePlane(plane: Plane): Promise<void> {
  const { admin } = plane;
  if (!(await admin.find(namespaces, hubNamespace))) return wipeKlusterlet(plane);
  const clusters = (await admin.list(managedClusters)).items.map(({ metadata }) => metadata.name);
  const requests = (await admin.list<KubeObject>(certificateSigningRequests)).items;
  const requested = requests.flatMap(({ metadata }) => metadata.labels?.[clusterNameLabel] ?? []);
  await Promise.all(
    [...new Set([...clusters, ...requested])].map((name) => wipeCluster(plane, name)),
  );
}

/** The managed cluster's side. */
export async function wipeKlusterlet({ admin }: Plane): Promise<void> {
  // First the programs, or they would recreate deleted objects.
  for (const namespace of [operatorNamespace, agentNamespace, addonNamespace])
    await removeNamespace(admin, namespace);
  await removeAll(admin, klusterlets);
  const isOurs = (name: string) =>
    name === 'klusterlet' || name.startsWith('open-cluster-management:');
  // Before the roles that it aggregates: a controller of Kubernetes that sees them go first may recreate it, empty, and OCM's
  // operator leaves a role that exists as it is.
  await removeAll(admin, clusterRoles, {}, (name) => isOurs(name) && name.endsWith(':aggregate'));
  await Promise.all(
    [clusterRoles, clusterRoleBindings].map((resource) => removeAll(admin, resource, {}, isOurs)),
  );
  await Promise.all(
    [roles, roleBindings].map((resource) =>
      removeAll(admin, resource, { namespace: 'kube-system' }, isOurs),
    ),
  );
  await removeAll(admin, customResourceDefinitions, {}, (crd) =>
    crd.endsWith('.open-cluster-management.io'),
  );
}

/** The hub's side. */
export async function wipeCluster({ admin }: Plane, name: string): Promise<void> {
  await removeAll(admin, managedClusters, { fieldSelector: `metadata.name=${name}` });
  await removeNamespace(admin, name);
  const own = { labelSelector: `${clusterNameLabel}=${name}` };
  await Promise.all(
    [certificateSigningRequests, clusterRoles, clusterRoleBindings].map((resource) =>
      removeAll(admin, resource, own),
    ),
  );
}

/** Removes objects with whatever finalizers they have. */
async function removeAll(
  admin: Api,
  resource: Resource,
  options: object = {},
  isMeant = (_name: string) => true,
): Promise<void> {
  const list = await admin.list<KubeObject>(resource, options).catch(() => ({ items: [] }));
  const meant = list.items.filter(({ metadata }) => isMeant(metadata.name));
  await Promise.all(meant.map((object) => remove(admin, resource, object)));
}

async function remove(admin: Api, resource: Resource, object: KubeObject): Promise<void> {
  const key = keyOf(object);
  // Without a grace period a pod would be gone before its processes.
  const gracePeriodSeconds = resource.plural === 'pods' ? 1 : 0;
  await untilAnswered(() =>
    admin.delete(resource, key, { gracePeriodSeconds, propagationPolicy: 'Background' }),
  );
  // Controllers may still add theirs: remaining objects are checked again.
  for (let left = await admin.find(resource, key); left; left = await admin.find(resource, key)) {
    if (left.metadata.uid !== object.metadata.uid) return;
    await sleep(20);
    if (left.metadata.finalizers?.length)
      await admin.patch(resource, key, { metadata: { finalizers: null } }).catch(() => {});
  }
}

/** Deletes a namespace without the five seconds that its controller waits first. */
async function removeNamespace(admin: Api, name: string): Promise<void> {
  if (!(await admin.find(namespaces, name))) return;
  await admin.delete(namespaces, name);
  const inNamespaces = (await discover(admin)).filter(({ namespaced }) => namespaced);
  for (const resource of inNamespaces) await removeAll(admin, resource, { namespace: name });
  const left = await admin.find<KubeObject>(namespaces, name);
  if (left)
    await admin
      .send('PUT', `/api/v1/namespaces/${name}/finalize`, { ...left, spec: { finalizers: [] } })
      .catch(() => {});
}
