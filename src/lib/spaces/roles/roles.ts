import type { SpaceRole } from '../../ocm/model/kubeflex-names.ts';
import { propertiesNamespace } from '../../ocm/model/kubestellar-names.ts';
import {
  bootstrapServiceAccount,
  hubNamespace,
  operatorNamespace,
} from '../../ocm/model/ocm-names.ts';

/** A right of a role, and the function that needs it. */
export interface RoleRight {
  by: string;
  verbs: readonly string[];
  group: string;
  kinds: readonly string[];
  /** Only the objects of these names. */
  names?: readonly string[] | undefined;
  /** Only in this namespace. */
  namespace?: string | undefined;
}

/** What somebody may do in a space. docs/security.md has a table of all roles. */
export interface AccessRole {
  /** In words, after "may". */
  may: string;
  /** What follows from its rights and nobody would expect of its name, in sentences. */
  note?: string;
  /** The verbs that it has on the workloads of a WDS. */
  workloads?: string;
  its?: readonly RoleRight[];
  wds?: readonly RoleRight[];
}

const clusterGroup = 'cluster.open-cluster-management.io';
const certificates = 'certificates.k8s.io';
const works = 'work.open-cluster-management.io';
export const kubestellar = 'control.kubestellar.io';
const reading = 'get list watch';
const writing = 'get list watch create update patch delete';

export const right = (
  by: string,
  verbs: string,
  group: string,
  kinds: string,
  only: Pick<RoleRight, 'names' | 'namespace'> = {},
): RoleRight => ({ by, verbs: verbs.split(' '), group, kinds: kinds.split(' '), ...only });

const within = (namespace: string, ...names: string[]) => ({
  namespace,
  ...(names.length > 0 && { names }),
});

/** What every command asks of the current context: without the second, a space without ControlPlanes would refuse instead of saying so. */
const anywhere = [
  right('clusterUid', 'get', '', 'namespaces', { names: ['kube-system'] }),
  right('listControlPlanes', 'list', 'tenancy.kflex.kubestellar.org', 'controlplanes'),
];

/** What shows the registrations of an ITS, and how clusters reach it. */
const hub = [
  right('requireHub', reading, clusterGroup, 'managedclusters'),
  right('readWholeHub', 'list', certificates, 'certificatesigningrequests'),
  right('readWholeHub', 'get list', 'coordination.k8s.io', 'leases'),
  right('inspectHub', 'get', 'operator.open-cluster-management.io', 'clustermanagers'),
  right('inspectHub', 'get', '', 'configmaps', within('kube-public', 'cluster-info')),
];

/** What else shows whether WECs are well. */
const mailboxRights = [
  right('readHubState', 'get list', '', 'namespaces'),
  right('readMailboxes', reading, works, 'manifestworks'),
  right('readMailboxes', 'get list', 'addon.open-cluster-management.io', 'managedclusteraddons'),
];

const ofWds = 'bindingpolicies customtransforms statuscollectors';
const policies = [
  right('readContents', reading, kubestellar, `${ofWds} bindings combinedstatuses`),
  right(
    'readGuard',
    'list',
    'admissionregistration.k8s.io',
    'validatingadmissionpolicies validatingadmissionpolicybindings',
  ),
];

/** kube-state-metrics watches them. */
const crdReading = right(
  'isCrdServed',
  reading,
  'apiextensions.k8s.io',
  'customresourcedefinitions',
);

/** The roles, from the smallest. */
export const roles = {
  viewer: {
    may: 'read what status, doctor and the lists show',
    note: 'A viewer of an ITS reads the works of all its WDSes, with the Secrets that policies send.',
    its: [
      ...anywhere,
      ...hub,
      ...mailboxRights,
      right('readDelivery', 'list', kubestellar, 'workstatuses'),
      right('propertyStore', 'get list', '', 'configmaps', within(propertiesNamespace)),
      crdReading,
      ...[hubNamespace, operatorNamespace].flatMap((namespace) => [
        right('readItsInside', 'get list', 'apps', 'deployments', { namespace }),
        right('readItsInside', 'get list', '', 'pods pods/log', { namespace }),
      ]),
      right(
        'readItsInside',
        'get',
        '',
        'serviceaccounts',
        within(operatorNamespace, bootstrapServiceAccount),
      ),
      right('mayAccount', 'create', 'authorization.k8s.io', 'subjectaccessreviews'),
    ],
    wds: [...anywhere, ...policies, crdReading],
    workloads: reading,
  },
  registrar: {
    may: 'register clusters, which somebody else accepts',
    its: [
      ...anywhere,
      ...hub,
      right(
        'requestToken',
        'create',
        '',
        'serviceaccounts/token',
        within(operatorNamespace, bootstrapServiceAccount),
      ),
    ],
  },
  acceptor: {
    may: 'accept, label and deregister WECs',
    note: 'RBAC cannot limit whose requests are approved: an acceptor can become any user of this ITS but those of group system:masters. An acceptor reads all works, with the Secrets that policies send, and may change what WECs apply. The namespace of a WEC that an acceptor deregisters stays.',
    its: [
      ...anywhere,
      ...hub,
      ...mailboxRights,
      right('decideRequest', 'update', certificates, 'certificatesigningrequests/approval'),
      right('decideRequest', 'approve', certificates, 'signers', {
        names: ['kubernetes.io/kube-apiserver-client'],
      }),
      right(
        'acceptCluster',
        'update',
        'register.open-cluster-management.io',
        'managedclusters/accept',
      ),
      right('changeValues', 'patch', clusterGroup, 'managedclusters'),
      right(
        'propertyStore',
        'get list create patch delete',
        '',
        'configmaps',
        within(propertiesNamespace),
      ),
      right('deleteCluster', 'delete', clusterGroup, 'managedclusters'),
      right('deleteCluster', 'patch delete', works, 'manifestworks'),
      right('deleteCluster', 'patch', 'addon.open-cluster-management.io', 'managedclusteraddons'),
      right('removeLeftovers', 'delete', certificates, 'certificatesigningrequests'),
    ],
  },
  deployer: {
    may: 'create policies, and the workloads that they send',
    note: 'On the WECs that policies select, a deployer gets what the work agent may. A policy can also send objects of the WDS that a deployer may not read, and a collector can return what is in them. In a WDS of type host, vcluster or external, workloads also run on the cluster behind it: the hosting cluster, or the external one.',
    wds: [
      ...anywhere,
      ...policies,
      right('applyPolicy', 'create update patch delete', kubestellar, ofWds),
    ],
    workloads: writing,
  },
} satisfies Record<string, AccessRole>;

export type RoleName = keyof typeof roles;

export const rolesOf = (space: SpaceRole): RoleName[] =>
  (Object.keys(roles) as RoleName[]).filter(
    (name) => (roles[name] as AccessRole)[space] !== undefined,
  );

/** The roles that have a right: what an administrator can give to somebody who lacks it. */
export function rolesWith(
  verb: string,
  group: string,
  kind: string,
): { space: SpaceRole; names: RoleName[] } | undefined {
  const has = (each: RoleRight) =>
    each.group === group && each.kinds.includes(kind) && each.verbs.includes(verb);
  const all = (['its', 'wds'] as const).map((space) => ({
    space,
    names: rolesOf(space).filter((name) => (roles[name] as AccessRole)[space]?.some(has)),
  }));
  return all.find(({ names }) => names.length > 0);
}
