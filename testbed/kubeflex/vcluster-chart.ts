import type { AnyObject } from '../kube/objects.ts';
import { syncerPort, vclusterName } from './names.ts';

const chartVersion = '0.16.4';

/** The objects of a release of the chart, as far as the bed reads them. @param args further arguments of the syncer */
export function vclusterObjects(namespace: string, args: readonly string[]): AnyObject[] {
  const labels = {
    app: vclusterName,
    chart: `vcluster-${chartVersion}`,
    heritage: 'Helm',
    release: vclusterName,
  };
  return chartObjects(namespace, args).map((object) => ({
    ...object,
    metadata: { ...object.metadata, namespace, labels: { ...labels, ...object.metadata.labels } },
  }));
}

function chartObjects(namespace: string, args: readonly string[]): AnyObject[] {
  const account = `vc-${vclusterName}`;
  const selector = { app: vclusterName, release: vclusterName };
  const all = ['create', 'delete', 'patch', 'update', 'get', 'list', 'watch'];
  const resources = ['configmaps', 'secrets', 'services', 'pods', 'persistentvolumeclaims'];
  const data = [{ name: 'data', mountPath: '/data' }];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: `vc-workload-${vclusterName}` } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: vclusterName },
      rules: [
        { apiGroups: [''], resources, verbs: all },
        {
          apiGroups: ['apps'],
          resources: ['statefulsets', 'replicasets', 'deployments'],
          verbs: ['get', 'list', 'watch'],
        },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: vclusterName },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: vclusterName },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: vclusterName },
      spec: {
        selector,
        ports: [{ name: 'https', port: 443, targetPort: syncerPort, protocol: 'TCP' }],
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: vclusterName },
      spec: {
        serviceName: `${vclusterName}-headless`,
        replicas: 1,
        selector: { matchLabels: selector },
        template: {
          metadata: { labels: selector },
          spec: {
            serviceAccountName: account,
            terminationGracePeriodSeconds: 10,
            // A PersistentVolumeClaim in reality: here the data is in a folder of the bed.
            volumes: [{ name: 'data', emptyDir: {} }],
            containers: [
              {
                name: 'vcluster',
                image: 'rancher/k3s:v1.27.2-k3s1',
                command: ['/bin/sh'],
                args: [
                  '-c',
                  '/bin/k3s server --write-kubeconfig=/data/k3s-config/kube-config.yaml --data-dir=/data',
                ],
                volumeMounts: data,
                resources: { requests: { cpu: '200m' } },
              },
              {
                name: 'syncer',
                image: `ghcr.io/loft-sh/vcluster:${chartVersion}`,
                args: [`--name=${vclusterName}`, ...args],
                ports: [{ name: 'https', containerPort: syncerPort, protocol: 'TCP' }],
                volumeMounts: data,
                resources: { requests: { cpu: '20m' } },
              },
            ],
          },
        },
      },
    },
  ];
}
