import type { AnyObject } from '../kube/objects.ts';
import type { KubeFlexConfig } from './cluster.ts';
import { vclusterKey, vclusterSecret } from './names.ts';

const roleName = 'cluster-info-updater';
const readAndWrite = ['get', 'watch', 'list', 'create', 'update'];

/** The Job that publishes the external address of a vcluster in its kube-public/cluster-info, with its permissions. */
export function updateClusterInfoJob(namespace: string, config: KubeFlexConfig, version: string): AnyObject[] {
  const env = [
    { name: 'KUBERNETES_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    { name: 'KUBECONFIG_SECRET', value: vclusterSecret },
    { name: 'KUBECONFIG_SECRET_KEY', value: vclusterKey },
    { name: 'HOST_CONTAINER', value: config.hostContainer },
  ];
  const name = 'update-cluster-info';
  const image = `ghcr.io/kubestellar/kubeflex/cmupdate:${version}`;
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: roleName, namespace },
      rules: [
        { apiGroups: ['apps'], resources: ['deployments', 'statefulsets'], verbs: readAndWrite },
        { apiGroups: [''], resources: ['services'], verbs: readAndWrite },
        { apiGroups: [''], resources: ['secrets'], verbs: readAndWrite },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: roleName, namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: roleName },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace }],
    },
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, namespace },
      spec: {
        backoffLimit: 3,
        template: {
          spec: { restartPolicy: 'Never', containers: [{ name, image, imagePullPolicy: 'IfNotPresent', env }] },
        },
      },
    },
  ];
}
