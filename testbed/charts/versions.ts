/** What differs between the versions of the core chart, besides what its templates see by .Chart.Version. */
interface ChartVersion {
  kubeflex: string;
  /** What the chart sets as HELM_VERSION and so on. */
  values: Record<string, string>;
  /** How the schema of a ControlPlane's spec differs from today's: missing fields, or new ones. */
  crd?: { without?: string[]; with?: Record<string, object> };
}

/** The available chart versions: facts of the real ones, and 0.31.0, which is imagined. */
export const chartVersions = {
  '0.28.0': {
    kubeflex: 'v0.8.9',
    values: images('0.28.0', '1.30.12', '0.10.1', '0.2.0-rc15'),
    crd: { without: ['globalVars', 'postCreateHooks', 'waitForPostCreateHooks'] },
  },
  '0.29.0': { kubeflex: 'v0.9.1', values: images('0.29.0', '1.30.14', '0.10.1', '0.2.0-rc16') },
  '0.30.0': { kubeflex: 'v0.9.3', values: images('0.30.0', '1.32.13', '1.0.0', '0.2.0-rc17') },
  // Like 0.30.0, with one more field in a CRD, which shows whether CRDs are upgraded before the rest.
  '0.31.0': {
    kubeflex: 'v0.9.4',
    values: images('0.31.0', '1.32.13', '1.0.0', '0.2.0-rc17'),
    crd: { with: { displayName: { type: 'string' } } },
  },
} satisfies Record<string, ChartVersion>;

export type ChartVersionName = keyof typeof chartVersions;

/** The default version of an installation. */
export const currentChart: ChartVersionName = '0.30.0';

function images(kubestellar: string, kubectl: string, clusteradm: string, addon: string): Record<string, string> {
  return {
    HELM_VERSION: '3.16.4',
    KUBECTL_VERSION: kubectl,
    KUBESTELLAR_VERSION: kubestellar,
    CLUSTERADM_VERSION: clusteradm,
    OCM_STATUS_ADDON_VERSION: addon,
  };
}
