import { randomBytes } from 'node:crypto';
import type { AnyObject } from '../kube/objects.ts';

/**
 * The objects of the PostgreSQL chart that KubeFlex reads: the StatefulSet, its Secret and its Services, all called
 * `<release>-postgresql`.
 */
/** @param registry its value global.imageRegistry */
export function postgresqlObjects(
  release: string,
  namespace: string,
  registry = 'quay.io',
): AnyObject[] {
  const name = `${release}-postgresql`;
  const labels = { 'app.kubernetes.io/instance': release, 'app.kubernetes.io/name': 'postgresql' };
  const metadata = {
    name,
    namespace,
    labels: { ...labels, 'app.kubernetes.io/managed-by': 'Helm' },
  };
  const ports = [{ name: 'tcp-postgresql', port: 5432, targetPort: 'tcp-postgresql' }];
  const container = {
    name: 'postgresql',
    image: `${registry}/kubestellar/postgresql:16.0.0-debian-11-r13`,
    ports: [{ name: 'tcp-postgresql', containerPort: 5432 }],
  };
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata,
      type: 'Opaque',
      stringData: { 'postgres-password': randomBytes(8).toString('hex') },
    },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, name: `${name}-hl` },
      spec: { clusterIP: 'None', selector: labels, ports },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata,
      spec: {
        replicas: 1,
        serviceName: `${name}-hl`,
        selector: { matchLabels: labels },
        // The real one claims a volume, which the bed does not provide.
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    },
  ];
}
