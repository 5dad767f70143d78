import type { Modulation } from '../ocm/policies.ts';

/** Kinds without a status: no WorkStatus is created for them. */
const withoutStatus = new Set([
  ...['configmaps', 'secrets', 'serviceaccounts', 'roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
  ...['limitranges', 'priorityclasses', 'storageclasses', 'ingressclasses', 'runtimeclasses'],
]);

export const hasStatus = ({ resource }: { resource: string }): boolean => !withoutStatus.has(resource);

/** Kinds whose statuses KubeStellar combines from several WECs (kubestellar v0.30.0, pkg/status/aggregation). */
const combinedKinds = new Set(['deployments', 'replicasets', 'daemonsets']);

/** The explanation for all other kinds. */
export const combinedOnly =
  'the statuses of several WECs are combined for Deployments, ReplicaSets and DaemonSets only';

/** Whether the status of an object on several WECs is requested but not combined for its kind. It is never returned. */
export const isNeverCombined = (
  { group, resource }: { group: string; resource: string },
  { wantMultiWECReportedState }: Modulation,
  wecs: number,
): boolean => wantMultiWECReportedState === true && wecs > 1 && !(group === 'apps' && combinedKinds.has(resource));

/**
 * Whether the status of a kind matters. Namespaces and similar kinds have a status that no one reads: a policy that requests the
 * status of all its objects is about its workloads.
 */
export const hasRelevantStatus = ({ group }: { group: string }): boolean => group !== '';
