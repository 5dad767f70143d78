import type { AnyObject } from '../kube/objects.ts';
import type { Reconciled } from './cluster.ts';

/** The Ingress for a control plane's API server: its host name, passed through to a Service without ending TLS. */
export async function ensureIngress(its: Reconciled, service: string, domain: string): Promise<void> {
  const { name, namespace } = its;
  const backend = { service: { name: service, port: { number: 443 } } };
  await its.ensure<AnyObject>({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace, annotations: { 'nginx.ingress.kubernetes.io/ssl-passthrough': 'true' } },
    spec: {
      ingressClassName: 'nginx',
      rules: [{ host: `${name}.${domain}`, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  });
}
