/** KubeFlex's names (pkg/util/util.go, pkg/reconcilers/** of kubestellar/kubeflex). */

export const systemNamespace = 'kubeflex-system';
export const configName = 'kubeflex-config';
export const finalizer = 'kflex.kubestellar.org/finalizer';

export const adminSecret = 'admin-kubeconfig';
export const certsSecret = 'k8s-certs';
export const controllerManagerSecret = 'cm-kubeconfig';
export const vclusterSecret = 'vc-vcluster';
export const postgresSecret = 'postgres-postgresql';

export const kubeconfigKey = 'kubeconfig';
export const inClusterKey = 'kubeconfig-incluster';
export const vclusterKey = 'config';
export const vclusterInClusterKey = 'config-incluster';

export const vclusterName = 'vcluster';
export const nodePortService = 'vcluster-nodeport';
export const apiServerName = 'kube-apiserver';
export const controllerManagerName = 'kube-controller-manager';

/** The pod port of the API server of type k8s, and that of a vcluster's syncer. */
export const securePort = 9444;
export const syncerPort = 8443;

export function namespaceOf(controlPlane: string): string {
  return `${controlPlane}-system`;
}

/** The control plane of this namespace. */
export function controlPlaneOf(namespace: string): string | undefined {
  return /^(.+)-system$/.exec(namespace)?.[1];
}
