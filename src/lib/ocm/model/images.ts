/**
 * Images that no chart on the user's machine names.
 * KubeFlex: pkg/reconcilers/{k8s/deployment,vcluster/chart,shared/job}.go of v0.9.3, with the chart of vcluster 0.16.4 and its CoreDNS
 * (loft-sh/vcluster, pkg/constants/coredns.go). PostgreSQL: its chart 13.1.5.
 */
export const imagesOfKubeFlex = (version: string): string[] => [
  `ghcr.io/kubestellar/kubeflex/cmupdate:${version}`,
  'registry.k8s.io/kube-apiserver:v1.29.9',
  'registry.k8s.io/kube-controller-manager:v1.29.9',
  'docker.io/rancher/kine:v0.11.4',
  'ghcr.io/loft-sh/vcluster:0.16.4',
  'docker.io/rancher/k3s:v1.27.2-k3s1',
  'docker.io/coredns/coredns:1.10.1',
  'quay.io/kubestellar/postgresql:16.0.0-debian-11-r13',
];

/** Fetched by KubeFlex's manager, from nowhere else. */
export const chartOfVcluster = 'https://charts.loft.sh/charts/vcluster-0.16.4.tgz';

/** The versions of OCM that a clusteradm before 1.0 installs (clusteradm pkg/version); since then, the version is its own. */
const bundles: Readonly<Record<string, string>> = { '0.10.1': '0.15.2' };

/** The version of OCM that a clusteradm installs. */
export const ocmOfClusteradm = (clusteradm: string): string => bundles[clusteradm] ?? clusteradm;

/** OCM on hub and WECs (ocm manifests/). */
export const imagesOfOcm = (version: string): string[] =>
  ['registration-operator', 'registration', 'placement', 'work', 'addon-manager'].map(
    (name) => `quay.io/open-cluster-management/${name}:v${version}`,
  );

/** KubeStellar's status add-on on hub and WECs (ocm-status-addon chart/). @param version of its chart */
export const imagesOfStatusAddon = (version: string): string[] => [
  `ghcr.io/kubestellar/ocm-status-addon:${version}`,
  'quay.io/kubestellar/kubectl:1.29.3',
];
