/** What a source says of a program on a version of Kubernetes. */
export interface KnownKubernetes {
  program: 'agent' | 'vcluster';
  /** Major and minor. */
  version: string;
  /** False: it does not run on this version of k3s, nor on later ones. */
  runs: boolean;
  source: string;
}

/**
 * What runs where, the oldest first: the agent on a WEC, and spaces of type vcluster (chart 0.16.4, k3s 1.27.2) on a hosting cluster.
 * Nobody names a newest version for agents, which use stable APIs only. The default nodes of k3d 5.9.0 are those of the stable
 * channel of k3s when it was built (k3d's Makefile), 1.35.5 (k3s-io/k3s#14091).
 */
export const knownKubernetes: readonly KnownKubernetes[] = [
  { program: 'agent', version: '1.29', runs: true, source: 'OCM v1.3.1: .github/workflows/e2e.yml, kind 0.22.0' },
  { program: 'agent', version: '1.32', runs: true, source: 'KubeStellar: scripts/create-kubestellar-demo-env.sh' },
  { program: 'vcluster', version: '1.27', runs: true, source: 'kubestellar/kubeflex#122: kind 0.19.0' },
  { program: 'vcluster', version: '1.31', runs: true, source: 'kubestellar/kubestellar#3832: k3d 5.8.3' },
  { program: 'vcluster', version: '1.32', runs: true, source: 'KubeStellar: scripts/create-kubestellar-demo-env.sh' },
  { program: 'vcluster', version: '1.35', runs: false, source: 'kubestellar/kubestellar#3832: k3d 5.9.0' },
];

/** Major and minor of what an API server says of itself, as `v1.32.13+k3s1`; undefined if it does not say. */
export const minorOf = (gitVersion = ''): string | undefined => /\d+\.\d+/.exec(gitVersion)?.[0];

/** The versions that a source names as working. */
export const testedFor = (program: KnownKubernetes['program']): string[] =>
  knownKubernetes.filter((known) => known.program === program && known.runs).map(({ version }) => version);

/**
 * The images of nodes on which the vcluster of KubeFlex runs. That of kind is of its release 0.26.0, the last one before containerd 2,
 * which older releases of kind cannot load images into; that of k3d is what KubeStellar pins.
 */
export const nodeImages = {
  kind: 'kindest/node:v1.31.4@sha256:2cb39f7295fe7eafee0842b1052a599a4fb0f8bcf3f83d96c7f4864c357c6c30',
  k3d: 'rancher/k3s:v1.32.13-k3s1',
} as const;
