import type { AnyObject } from '../kube/objects.ts';
import type { Reconciled } from './cluster.ts';

/** The names of type ocm, multicluster-controlplane (kubeflex pkg/util/util.go). */
export const ocmName = 'multicluster-controlplane';
export const ocmSecret = 'multicluster-controlplane-kubeconfig';

/**
 * Type ocm, without the API server: its Secret has no kubeconfig for pods, so that KubeFlex after 0.9.3 never takes it for reachable
 * (pkg/reconcilers/ocm/reconciler.go, pkg/util/status_check.go).
 */
export async function reconcileOcm(its: Reconciled): Promise<void> {
  const labels = { app: ocmName };
  const image = `quay.io/kubestellar/${ocmName}:v0.2.0-kf-alpha.1`;
  await its.ensure<AnyObject>({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: ocmName, namespace: its.namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: ocmName, image }] } },
    },
  });
}
