/**
 * The oldest version of Kubernetes on which an agent can run. OCM's documentation says 1.11; its operator applies definitions of
 * apiextensions.k8s.io/v1 only (ocm v1.3.1, manifests/klusterlet/managed).
 */
export const oldestKubernetes = '1.16';

/**
 * What a WEC is tested on, the oldest first. Nobody names a newest version: agents use stable APIs only.
 * OCM: ocm v1.3.1, .github/workflows/e2e.yml, with kind 0.22.0, whose nodes have 1.29.2.
 * KubeStellar: scripts/create-kubestellar-demo-env.sh, with rancher/k3s:v1.32.13-k3s1.
 */
export const testedKubernetes = [
  { by: 'OCM', version: '1.29' },
  { by: 'KubeStellar', version: '1.32' },
] as const;
