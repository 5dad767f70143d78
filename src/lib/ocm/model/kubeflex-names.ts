/**
 * The names of KubeFlex (v0.9.3, pkg/util/util.go and pkg/reconcilers) and of KubeStellar's post-create hooks (core chart 0.29 and
 * 0.30).
 */
export const systemNamespace = 'kubeflex-system';
export const configMapName = 'kubeflex-config';
export const managerName = 'kubeflex-controller-manager';
/** Without it the manager cannot grant a control plane of type host its rights. */
export const managerAdminBinding = 'kubeflex-manager-cluster-admin-rolebinding';
/** The StatefulSet of the database for control planes of type k8s, and the Secret with its password. */
export const postgresName = 'postgres-postgresql';
/** The command of the core chart's Job, which runs only on the first installation of the chart. */
export const postgresInstallation =
  'helm upgrade --install postgres oci://quay.io/kubestellar/charts/postgresql --version 13.1.5 --namespace kubeflex-system --set primary.extendedConfiguration=max_connections=1000';

/** What serves the Ingresses of control planes, whatever program that is; KubeFlex always writes this class. */
export const ingressClass = { name: 'nginx', controller: 'k8s.io/ingress-nginx' } as const;

/** The label that a hook sets on its control planes once it completes: its | wds. */
export const roleLabel = 'kflex.kubestellar.io/cptype';

export const hookNames = {
  hubInit: 'its-hub-init',
  statusAddon: 'install-status-addon',
  controller: 'kubestellar-controller',
  transport: 'transport-controller',
} as const;

/** The hooks of charts before 0.29, which work differently, and the one that KubeFlex once shipped. */
export const olderHooks: Readonly<Record<string, 'its' | 'wds'>> = {
  'its-with-clusteradm': 'its',
  'its-without-clusteradm': 'its',
  ocm: 'its',
  wds: 'wds',
};

/** The Deployments of KubeStellar's two controllers in the namespace of a WDS. */
export const managerDeployment = 'kubestellar-controller-manager';
export const transportDeployment = 'transport-controller';

export type Controller = typeof managerDeployment | typeof transportDeployment;

/** The hook that creates the Deployment of a controller. */
export const hookOf: Readonly<Record<Controller, string>> = {
  [managerDeployment]: hookNames.controller,
  [transportDeployment]: hookNames.transport,
};
/** The Deployment of KubeStellar's status add-on in an ITS. */
export const statusAddonDeployment = 'addon-status-controller';

/** The Job by which KubeFlex publishes the address of a vcluster inside it. */
export const clusterInfoJob = 'update-cluster-info';

/** The namespace on the hosting cluster with the objects of a control plane. */
export const namespaceOf = (controlPlane: string) => `${controlPlane}-system`;

/** The namespace `<name>-system` may have at most 63 characters. The name is also part of host names. */
export const longestName = 63 - '-system'.length;

/** Whether a control plane may have this name. */
export const isSpaceName = (name: string) =>
  /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= longestName;

export type SpaceRole = 'its' | 'wds';

/** The role with its article, for messages. */
export const roleWithArticle = (role: SpaceRole) => (role === 'its' ? 'an ITS' : 'a WDS');
export type ItsType = 'vcluster' | 'host' | 'external';
export type WdsType = 'k8s' | 'host';

/** The Secret with the kubeconfigs of a type of control plane: one for other machines, if any, and one for pods. */
export interface SecretKeys {
  name: string;
  outside: string | undefined;
  inside: string;
}

export const secretOf: Readonly<Record<string, SecretKeys>> = {
  k8s: { name: 'admin-kubeconfig', outside: 'kubeconfig', inside: 'kubeconfig-incluster' },
  vcluster: { name: 'vc-vcluster', outside: 'config', inside: 'config-incluster' },
  ocm: {
    name: 'multicluster-controlplane-kubeconfig',
    outside: 'kubeconfig',
    inside: 'kubeconfig',
  },
  host: { name: 'admin-kubeconfig', outside: undefined, inside: 'kubeconfig-incluster' },
  external: { name: 'admin-kubeconfig', outside: undefined, inside: 'kubeconfig-incluster' },
};

/** The workload that serves the API of a type of control plane; absent from the map if another cluster serves it. */
export const apiServerOf: Readonly<
  Record<string, { kind: 'Deployment' | 'StatefulSet'; name: string }>
> = {
  k8s: { kind: 'Deployment', name: 'kube-apiserver' },
  vcluster: { kind: 'StatefulSet', name: 'vcluster' },
  ocm: { kind: 'Deployment', name: 'multicluster-controlplane' },
};

/**
 * The CPU that the pods of a type of control plane ask for, in thousandths of a core: that of the API server, and for k8s that of its
 * controllers (kubeflex v0.9.3, pkg/reconcilers/k8s/deployment.go; chart of vcluster 0.16.4).
 */
export const cpuOf: Readonly<Record<string, readonly number[]>> = {
  k8s: [506, 200],
  vcluster: [220],
};
