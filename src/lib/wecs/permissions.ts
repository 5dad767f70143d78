import type { Permission } from '../kube/client/client.ts';
import { type Resource, resources } from '../kube/client/resources.ts';
import { may } from '../kube/permissions.ts';
import { agentNamespace, bootstrapServiceAccount, hubSecretName, operatorNamespace } from '../ocm/ocm-names.ts';

/** The permissions to accept a WEC on the ITS. The hub's webhook checks `managedclusters/accept`, not the API server. */
function acceptPermissions(wec: string): Permission[] {
  const group = 'register.open-cluster-management.io';
  return [
    may('update', resources.certificateSigningRequests, { subresource: 'approval' }),
    { verb: 'approve', group: 'certificates.k8s.io', resource: 'signers', name: 'kubernetes.io/kube-apiserver-client' },
    may('patch', resources.managedClusters, { name: wec }),
    { verb: 'update', group, resource: 'managedclusters', subresource: 'accept', name: wec },
  ];
}

export function hubPermissions(wec: string, { accept, label }: { accept: boolean; label: boolean }): Permission[] {
  const token = { subresource: 'token', namespace: operatorNamespace, name: bootstrapServiceAccount };
  return [
    may('create', resources.serviceAccounts, token),
    may('get', resources.managedClusters, { name: wec }),
    may('list', resources.certificateSigningRequests),
    ...(accept ? acceptPermissions(wec) : []),
    ...(label && !accept ? [may('patch', resources.managedClusters, { name: wec })] : []),
  ];
}

/** The permissions to install a klusterlet on a WEC: server-side apply needs both verbs. */
export function wecPermissions(): Permission[] {
  const inNamespace = { namespace: operatorNamespace };
  const inAgentNamespace = { namespace: agentNamespace };
  const applied = [
    ...both(resources.clusterRoles),
    ...both(resources.clusterRoleBindings),
    ...both(resources.customResourceDefinitions),
    ...both(resources.namespaces),
    ...both(resources.serviceAccounts, inNamespace),
    ...both(resources.deployments, inNamespace),
    ...both(resources.secrets, inNamespace),
    ...both(resources.secrets, inAgentNamespace),
    ...both(resources.klusterlets),
  ];
  return [...applied, may('get', resources.secrets, inAgentNamespace), may('list', resources.pods, inAgentNamespace)];
}

/**
 * The permissions on a WEC to make an agent with a certificate register again: its certificate is removed, and its pods are
 * deleted.
 */
export function reregisterPermissions(): Permission[] {
  return [
    may('delete', resources.secrets, { namespace: agentNamespace, name: hubSecretName }),
    may('delete', resources.pods, { namespace: agentNamespace }),
  ];
}

const both = (resource: Resource, rest: Partial<Permission> = {}): Permission[] =>
  ['create', 'patch'].map((verb) => may(verb, resource, rest));
