/** What makes another version of the core chart out of 0.30.0. */
interface ChartVersion {
  kubeflex: string;
  /** The version of the images of KubeStellar, and of the status add-on. */
  kubestellar: string;
  addon: string;
  /** As 0.29, it makes the namespace of KubeFlex at its installation only: helm deletes it in an upgrade. */
  dropsNamespace?: true;
  /** Further fields of a ControlPlane's spec, which show whether CRDs are upgraded before the rest. */
  fields?: Record<string, object>;
}

/** The available versions: 0.30.0 is the published one, and the others are like it but for what is said here. */
const chartVersions = {
  '0.28.0': { kubeflex: 'v0.8.9', kubestellar: '0.28.0', addon: '0.2.0-rc15' },
  '0.29.0': {
    kubeflex: 'v0.9.1',
    kubestellar: '0.29.0',
    addon: '0.2.0-rc16',
    dropsNamespace: true,
  },
  '0.30.0': { kubeflex: 'v0.9.3', kubestellar: '0.30.0', addon: '0.2.0-rc17' },
  '0.31.0': {
    ...{ kubeflex: 'v0.9.4', kubestellar: '0.31.0', addon: '0.2.0-rc17' },
    fields: { displayName: { type: 'string' } },
  },
} satisfies Record<string, ChartVersion>;

export type ChartVersionName = keyof typeof chartVersions;

/** The default version of an installation. */
export const currentChart: ChartVersionName = '0.30.0';

export const versionOf = (name: ChartVersionName): ChartVersion => chartVersions[name];
