import type { Api } from '../kube/api.ts';
import { apply } from '../kube/apply.ts';
import type { AnyObject } from '../kube/objects.ts';

const namespace = 'ingress-nginx';
const name = 'ingress-nginx-controller';
const labels = { 'app.kubernetes.io/name': 'ingress-nginx', 'app.kubernetes.io/component': 'controller' };

/** Installs ingress-nginx as KubeFlex needs it, as far as the bed depends on it. */
export async function installIngress(admin: Api): Promise<void> {
  for (const object of objects()) await apply(admin, object);
}

function objects(): AnyObject[] {
  const account = { kind: 'ServiceAccount', name: 'ingress-nginx', namespace };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account.name, namespace } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'ingress-nginx' },
      rules: [{ apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: ['get', 'list', 'watch'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'ingress-nginx' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'ingress-nginx' },
      subjects: [account],
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
                name: 'controller',
                image: 'registry.k8s.io/ingress-nginx/controller:v1.12.1',
                args: ['/nginx-ingress-controller', '--ingress-class=nginx', '--enable-ssl-passthrough'],
                ports: [{ name: 'https', containerPort: 443, hostPort: 443, protocol: 'TCP' }],
              },
            ],
          },
        },
      },
    },
  ];
}
