import type { Kube } from '../kube/client/client.ts';
import { unlessStatus } from '../kube/client/errors.ts';
import { resources } from '../kube/client/resources.ts';
import { partialReader } from '../kube/partial-reader.ts';
import { may, missingPermissions } from '../kube/permissions.ts';
import { isOurs, managedBy, managedByLabel } from '../ocm/klusterlet-operator.ts';
import { bootstrapAccountOf, operatorNamespace } from '../ocm/ocm-names.ts';

/** The rights of agents that register (ocm, the hub's manifests). */
const roleName = 'open-cluster-management:bootstrap';

/** The objects of an account: the service account, and the binding that gives it the rights of the hub's own. */
const kinds = [
  [resources.clusterRoleBindings, {}],
  [resources.serviceAccounts, { namespace: operatorNamespace }],
] as const;

/** Whether a hub records in each request with which token it was sent (KEP-4193). */
export async function recordsTokens(hub: Kube): Promise<boolean> {
  const { major = '', minor = '' } = (await hub.read<{ major?: string; minor?: string }>('/version')) ?? {};
  return !(major === '1' && Number.parseInt(minor, 10) < 30);
}

/** Why a WEC cannot have a service account of its own, a clause; undefined if it can. */
export async function whyNoAccount(hub: Kube): Promise<string | undefined> {
  const changes = kinds.flatMap(([resource, where]) =>
    ['create', 'patch', 'delete'].map((verb) => may(verb, resource, where)),
  );
  const token = may('create', resources.serviceAccounts, { subresource: 'token', namespace: operatorNamespace });
  const bind = may('bind', resources.clusterRoles, { name: roleName });
  const missing = await missingPermissions(hub, [...changes, token, bind]);
  if (missing.length > 0) return `you may not ${missing.join(', ')} to make a service account for it`;
  const role = await partialReader(hub).get(resources.clusterRoles, roleName);
  return role === undefined ? `there is no ClusterRole ${roleName} for a service account of its own` : undefined;
}

/** Makes the service account of one WEC: the user name of a request shows that it was sent with its token. */
export async function makeAccount(hub: Kube, wec: string): Promise<void> {
  const metadata = { name: bootstrapAccountOf(wec), labels: { [managedByLabel]: managedBy } };
  const { apiVersion, kind } = resources.serviceAccounts;
  await hub.apply({ apiVersion, kind, metadata: { ...metadata, namespace: operatorNamespace } });
  const binding = {
    ...{ apiVersion: resources.clusterRoleBindings.apiVersion, kind: resources.clusterRoleBindings.kind, metadata },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roleName },
    subjects: [{ kind, name: metadata.name, namespace: operatorNamespace }],
  };
  await hub.apply(binding);
}

/** Removes the service account of a WEC that has joined, if it has one, also of an earlier run. */
export async function removeAccount(hub: Kube, wec: string): Promise<void> {
  const name = bootstrapAccountOf(wec);
  for (const [resource, where] of kinds) {
    const present = await partialReader(hub).get(resource, name, where);
    const { uid } = present?.metadata ?? {};
    if (present && isOurs(present)) await unlessStatus(hub.delete(resource, name, { ...where, uid }), 403);
  }
}
