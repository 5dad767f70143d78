import { apply } from '../../kube/apply.ts';
import { isTrue, now, withCondition } from '../../kube/conditions.ts';
import type { AnyObject, KubeObject, ManagedCluster } from '../../kube/objects.ts';
import { clusterRoleBindings, clusterRoles, roleBindings } from '../../kube/resources.ts';
import { clusterGroup, clusterNameLabel, condition, finalizer } from '../names.ts';
import { bindingObject, roleObject, type Subject } from '../rbac.ts';
import type { HubCache } from './hub-cache.ts';
import { acceptedClusterRules, deniedClusterRules, registrationRules, workRules } from './roles.ts';

/** How often a denied cluster is checked while it still has works. */
const worksRecheck = 5_000;

const acceptedOn = 'open-cluster-management.io/automatically-accepted-on';
const commonRole = (program: string) => `open-cluster-management:managedcluster:${program}`;

/** The hub's reaction to hubAcceptsClient and to a deletion (ocm pkg/registration/hub/managedcluster). */
export function runAcceptance(cache: HubCache, { acceptsEveryCluster }: { acceptsEveryCluster: boolean }): void {
  let hasCommonRoles = false;
  const queue = cache.queue('acceptance', async (name) => {
    const cluster = cache.cluster(name);
    if (!cluster) {
      hasCommonRoles &&= !(await removeUnusedRoles(cache));
      return;
    }
    if (cluster.metadata.deletionTimestamp) return release(cache, cluster);
    if (!hasCommonRoles) await applyCommonRoles(cache);
    hasCommonRoles = true;
    if (cluster.spec.hubAcceptsClient) return accept(cache, cluster);
    // Once per cluster: a later manual denial is respected.
    if (acceptsEveryCluster && !cluster.metadata.annotations?.[acceptedOn]) {
      return cache.patchCluster(cluster, {
        metadata: { annotations: { [acceptedOn]: now() } },
        spec: { hubAcceptsClient: true },
      });
    }
    if (isTrue(cluster.status?.conditions, condition.hubAccepted)) {
      const isDone = await deny(cache, cluster);
      if (!isDone) queue.addAfter(name, worksRecheck);
    }
  });
  cache.clusters.onChange(({ metadata }) => queue.add(metadata.name));
  cache.works.onChange(({ metadata }) => queue.add(metadata.namespace ?? ''));
}

async function accept(cache: HubCache, cluster: ManagedCluster): Promise<void> {
  const { name } = cluster.metadata;
  const labels = { [clusterNameLabel]: name };
  await apply<AnyObject>(cache.api, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  // The change of the finalizers causes an event, which continues from here.
  if (await cache.setFinalizer(cluster, finalizer.apiResourceCleanup, true)) return;
  await apply(cache.api, roleObject(ownRole(name), acceptedClusterRules(name), { labels }));
  await apply(cache.api, bindingObject(ownRole(name), { name: ownRole(name) }, subjectsOf(name), { labels }));
  await apply(cache.api, mailboxBinding(name, 'registration'));
  await apply(cache.api, mailboxBinding(name, 'work', [finalizer.manifestWork]));
  await setAccepted(cache, cluster, 'True', 'HubClusterAdminAccepted', 'Accepted by hub cluster admin');
}

/** Removes the permissions. The condition stays until the last work is deleted. */
async function deny(cache: HubCache, cluster: ManagedCluster): Promise<boolean> {
  const { name } = cluster.metadata;
  await apply(cache.api, roleObject(ownRole(name), deniedClusterRules(name), { labels: { [clusterNameLabel]: name } }));
  if (!(await removeMailboxBindings(cache, name))) return false;
  if (await cache.setFinalizer(cluster, finalizer.apiResourceCleanup, false)) return true;
  await setAccepted(cache, cluster, 'False', 'HubClusterAdminDenied', 'Denied by hub cluster admin');
  return true;
}

/** Undoes acceptance, except for the namespace, which the hub keeps. */
async function release(cache: HubCache, cluster: ManagedCluster): Promise<void> {
  const { name, finalizers = [] } = cluster.metadata;
  await cache.api.delete(clusterRoles, ownRole(name));
  await cache.api.delete(clusterRoleBindings, ownRole(name));
  if (!(await removeMailboxBindings(cache, name))) return;
  // The garbage collector finishes first: it needs the cluster to write its condition to.
  if (!finalizers.includes(finalizer.resourceCleanup))
    await cache.setFinalizer(cluster, finalizer.apiResourceCleanup, false);
}

/** Deletes both RoleBindings. That of the work agent stays until the last work is deleted, which needs the agent. */
async function removeMailboxBindings(cache: HubCache, cluster: string): Promise<boolean> {
  const work = `${cluster}/${mailboxBindingName(cluster, 'work')}`;
  await cache.api.delete(roleBindings, `${cluster}/${mailboxBindingName(cluster, 'registration')}`);
  await cache.api.delete(roleBindings, work);
  if (cache.inNamespace(cache.works, cluster).length > 0) return false;
  const held = await cache.api.find<KubeObject>(roleBindings, work);
  if (held?.metadata.finalizers?.length) await cache.api.patch(roleBindings, work, { metadata: { finalizers: null } });
  return true;
}

async function setAccepted(
  cache: HubCache,
  cluster: ManagedCluster,
  status: 'True' | 'False',
  reason: string,
  message: string,
): Promise<void> {
  const present = cluster.status?.conditions ?? [];
  const wanted = withCondition(present, { type: condition.hubAccepted, status, reason, message });
  if (wanted !== present) await cache.patchConditions(cluster, wanted);
}

/** The ClusterRoles that all clusters' mailbox bindings refer to. */
async function applyCommonRoles({ api }: HubCache): Promise<void> {
  const labels = { [clusterNameLabel]: '' };
  await apply(api, roleObject(commonRole('registration'), registrationRules, { labels }));
  await apply(api, roleObject(commonRole('work'), workRules, { labels }));
}

/** They are deleted with the last cluster. */
async function removeUnusedRoles({ api, clusters }: HubCache): Promise<boolean> {
  if (clusters.informer.items.size > 0) return false;
  for (const program of ['registration', 'work']) await api.delete(clusterRoles, commonRole(program));
  return true;
}

function mailboxBinding(cluster: string, program: string, finalizers?: string[]): AnyObject {
  return bindingObject(mailboxBindingName(cluster, program), { name: commonRole(program) }, subjectsOf(cluster), {
    namespace: cluster,
    labels: { [clusterNameLabel]: cluster },
    ...(finalizers && { finalizers }),
  });
}

function mailboxBindingName(cluster: string, program: string): string {
  return `${ownRole(cluster)}:${program}`;
}

function ownRole(cluster: string): string {
  return `open-cluster-management:managedcluster:${cluster}`;
}

function subjectsOf(cluster: string): Subject[] {
  return [
    { kind: 'Group', name: clusterGroup(cluster) },
    { kind: 'Group', name: `open-cluster-management:${cluster}` },
  ];
}
