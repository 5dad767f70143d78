/** KubeStellar's core chart. Its name and version are set only here. Source: github.com/kubestellar/kubestellar, core-chart. */
export const coreChart = {
  name: 'core-chart',
  reference: 'oci://ghcr.io/kubestellar/kubestellar/core-chart',
  /** The version that `init` installs by default. */
  version: '0.30.0',
  /**
   * The oldest version whose hooks stellarctl supports. In older versions the hooks have other names, and one hook does the work of
   * two.
   */
  oldestVersion: '0.29.0',
  /** The name in KubeStellar's documentation. */
  release: { name: 'ks-core', namespace: 'default' },
  /** The key of the values of its KubeFlex subchart. */
  kubeFlexValues: 'kubeflex-operator',
} as const;
