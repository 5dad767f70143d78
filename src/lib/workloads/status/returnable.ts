import type { Modulation } from '../selection/clauses.ts';

/** Kinds that have no status: no WorkStatus is made of them. */
const withoutStatus = new Set([
  ...['configmaps', 'secrets', 'serviceaccounts', 'roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
  ...['limitranges', 'priorityclasses', 'storageclasses', 'ingressclasses', 'runtimeclasses'],
]);

export const hasStatus = ({ resource }: { resource: string }): boolean => !withoutStatus.has(resource);

/** Kinds of which KubeStellar combines the statuses of several WECs (kubestellar v0.30.0, pkg/status/aggregation). */
const combinedKinds = new Set(['deployments', 'replicasets', 'daemonsets']);

/** What is said of all others. */
export const combinedOnly =
  'the statuses of several WECs are combined for Deployments, ReplicaSets and DaemonSets only';

/** Whether the status of an object on several WECs is asked for, and is not combined for its kind: it never comes. */
export const isNeverCombined = (
  { group, resource }: { group: string; resource: string },
  { wantMultiWECReportedState }: Modulation,
  wecs: number,
): boolean => wantMultiWECReportedState === true && wecs > 1 && !(group === 'apps' && combinedKinds.has(resource));

/** Namespaces and the like have a status that nobody looks at: a policy that asks for the status of all its objects means its workloads. */
export const isLookedAt = ({ group }: { group: string }): boolean => group !== '';
