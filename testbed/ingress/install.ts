import type { Api } from '../kube/api.ts';
import { apply } from '../kube/apply.ts';
import type { AnyObject } from '../kube/objects.ts';

const namespace = 'traefik';
const name = 'traefik';
const labels = {
  'app.kubernetes.io/name': 'traefik',
  'app.kubernetes.io/instance': 'traefik-traefik',
};

/** Installs Traefik as KubeFlex needs it, as far as the bed depends on it. */
export async function installIngress(admin: Api): Promise<void> {
  for (const object of objects()) await apply(admin, object);
}

function objects(): AnyObject[] {
  const account = { kind: 'ServiceAccount', name, namespace };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      rules: [
        {
          apiGroups: ['networking.k8s.io'],
          resources: ['ingressclasses', 'ingresses'],
          verbs: ['get', 'list', 'watch'],
        },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [account],
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'nginx' },
      spec: { controller: 'k8s.io/ingress-nginx' },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace, labels },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: account.name,
            containers: [
              {
                name: 'traefik',
                image: 'docker.io/traefik:v3.7.13',
                args: [
                  '--providers.kubernetesingressnginx',
                  '--entryPoints.websecure.address=:8443/tcp',
                ],
                ports: [{ name: 'websecure', containerPort: 8443, hostPort: 443, protocol: 'TCP' }],
              },
            ],
          },
        },
      },
    },
  ];
}
