import { kubeconfigOf } from '../kube/kubeconfig.ts';
import type { AnyObject, Secret } from '../kube/objects.ts';
import { secrets } from '../kube/resources.ts';
import { notFound, type Reconciled } from './cluster.ts';
import { adminSecret, inClusterKey } from './names.ts';

/**
 * Type host: the hosting cluster itself, by a service account that becomes cluster-admin. Without permission to grant that it fails
 * at the binding, after everything else was created.
 */
export async function reconcileHost(its: Reconciled): Promise<void> {
  const { name, namespace } = its;
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
  await its.ensure(account);
  const tokenSecret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, annotations: { 'kubernetes.io/service-account.name': name } },
    type: 'kubernetes.io/service-account-token',
  };
  const state = await its.ensure(tokenSecret);
  await ensureKubeconfig(its, state);
  await its.ensure<AnyObject>({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `${name}-binding` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  });
}

async function ensureKubeconfig(its: Reconciled, tokenSecret: 'created' | 'present'): Promise<void> {
  const { name, namespace } = its;
  // KubeFlex reads from a cache, which does not contain new objects yet.
  if (tokenSecret === 'created') throw notFound(secrets, name);
  const { data = {} } = await its.get<Secret>(secrets, `${namespace}/${name}`);
  for (const [what, key] of [
    ['token', 'token'],
    ['ca', 'ca.crt'],
  ] as const)
    if (!data[key]) throw new Error(`${what} not ready yet for service account secret ${name}, requeing`);
  const plain = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
  const connection = { server: 'https://kubernetes.default.svc', caPem: plain('ca.crt'), token: plain('token') };
  const kubeconfig = kubeconfigOf([{ context: name, cluster: name, user: name, connection }]);
  await its.ensure<Secret>({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: adminSecret, namespace },
    type: 'Opaque',
    stringData: { [inClusterKey]: kubeconfig },
  });
}
