/** KubeStellar's core chart: the one place that names it and its version. Source: github.com/kubestellar/kubestellar, core-chart. */
export const coreChart = {
  name: 'core-chart',
  reference: 'oci://ghcr.io/kubestellar/kubestellar/core-chart',
  /** What `init` installs where no version is asked for. */
  version: '0.30.0',
  /** The first whose hooks stellarctl works with: before it they had other names, and did the work of two in one. */
  oldestVersion: '0.29.0',
  /** As KubeStellar's documentation calls it. */
  release: { name: 'ks-core', namespace: 'default' },
  /** The key of the values for the chart of KubeFlex in it. */
  kubeFlexValues: 'kubeflex-operator',
} as const;
