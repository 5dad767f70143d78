import type { AnyObject } from '../kube/objects.ts';
import {
  clusterRoleBindings,
  clusterRoles,
  roleBindings,
  roles,
  serviceAccounts,
} from '../kube/resources.ts';

export interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

export type Subject =
  | { kind: 'Group' | 'User'; name: string }
  | { kind: 'ServiceAccount'; name: string; namespace: string };

interface Naming {
  namespace?: string;
  labels?: Record<string, string>;
}

/** Rules in short: `rule('apps', 'deployments, replicasets', 'get, list')`. */
export function rule(
  apiGroups: string,
  resources: string,
  verbs: string,
  resourceNames?: string[],
): Rule {
  const list = (text: string) => text.split(/,\s*/);
  return {
    apiGroups: list(apiGroups),
    resources: list(resources),
    verbs: list(verbs),
    ...(resourceNames && { resourceNames }),
  };
}

/** A ClusterRole, or with a namespace a Role. */
export function roleObject(
  name: string,
  rules: Rule[],
  { namespace, labels }: Naming = {},
): AnyObject {
  const { apiVersion, kind } = namespace ? roles : clusterRoles;
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace && { namespace }), ...(labels && { labels }) },
    rules,
  };
}

/** A ClusterRoleBinding, or with a namespace a RoleBinding, to a ClusterRole by default. */
export function bindingObject(
  name: string,
  role: { kind?: 'ClusterRole' | 'Role'; name: string },
  subjects: Subject[],
  { namespace, labels }: Naming = {},
): AnyObject {
  const { apiVersion, kind } = namespace ? roleBindings : clusterRoleBindings;
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace && { namespace }), ...(labels && { labels }) },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: role.kind ?? 'ClusterRole',
      name: role.name,
    },
    subjects: subjects.map((subject) =>
      subject.kind === 'ServiceAccount'
        ? subject
        : { apiGroup: 'rbac.authorization.k8s.io', ...subject },
    ),
  };
}

export function serviceAccountObject(name: string, { namespace, labels }: Naming): AnyObject {
  const { apiVersion, kind } = serviceAccounts;
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace && { namespace }), ...(labels && { labels }) },
  };
}

export function serviceAccountSubject(namespace: string, name: string): Subject {
  return { kind: 'ServiceAccount', namespace, name };
}
