import type { DiscoveredResource } from '../kube/discovery.ts';
import * as resources from '../kube/resources.ts';

const ofClusters = [
  resources.namespaces,
  resources.nodes,
  resources.customResourceDefinitions,
  resources.clusterRoles,
  resources.clusterRoleBindings,
];

const ofNamespaces = [
  resources.configMaps,
  resources.secrets,
  resources.serviceAccounts,
  resources.services,
  resources.pods,
  resources.events,
  resources.deployments,
  resources.leases,
  resources.roles,
  resources.roleBindings,
];

/** The built-in kinds of a stub: those of a klusterlet and of simple workloads. */
export const builtIn: readonly DiscoveredResource[] = [
  ...ofClusters.map((kind) => ({ ...kind, namespaced: false })),
  ...ofNamespaces.map((kind) => ({ ...kind, namespaced: true })),
];
