import type { Api } from '../kube/api.ts';
import { apply } from '../kube/apply.ts';
import { kubeconfigOf } from '../kube/kubeconfig.ts';
import type { AnyObject, KubeObject } from '../kube/objects.ts';
import { klusterlets } from '../kube/resources.ts';
import { ocmVersion } from '../ocm/hub/options.ts';
import { addonNamespace, agentNamespace, bootstrapSecret, operatorNamespace, pullSecret } from '../ocm/names.ts';
import { bindingObject, roleObject, rule, serviceAccountObject, serviceAccountSubject } from '../ocm/rbac.ts';
import type { Plane } from '../plane/plane.ts';

export interface Installation {
  clusterName: string;
  /** Undefined leaves the bootstrap Secret out. */
  bootstrap: { server: string; caPem: string; token: string } | undefined;
  /** The version of the operator's image, and of the agents' images, which is the same by default. */
  version?: string;
  agentVersion?: string;
}

const registry = 'quay.io/open-cluster-management';

/** Installs a klusterlet on a managed cluster as `clusteradm join` would, so that tests do not depend on the product. */
export async function installKlusterlet(
  { admin }: Pick<Plane, 'admin'>,
  { clusterName, bootstrap, version = ocmVersion, agentVersion = version }: Installation,
): Promise<void> {
  await installOperator({ admin }, version);
  if (bootstrap) await apply(admin, bootstrapSecretObject(bootstrap));
  await untilServed(admin);
  await apply(admin, klusterletObject(clusterName, agentVersion));
}

/** Installs only the operator, with the namespaces of the agents. */
export async function installOperator({ admin }: Pick<Plane, 'admin'>, version = ocmVersion): Promise<void> {
  for (const object of operatorObjects(version)) await apply(admin, object);
}

function operatorObjects(version: string): AnyObject[] {
  const labels = { app: 'klusterlet' };
  const container = {
    name: 'klusterlet',
    image: `${registry}/registration-operator:${version}`,
    args: ['/registration-operator', 'klusterlet'],
  };
  return [
    ...[operatorNamespace, agentNamespace, addonNamespace].map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name },
    })),
    klusterletCrd,
    serviceAccountObject('klusterlet', { namespace: operatorNamespace }),
    roleObject('klusterlet', operatorRules),
    bindingObject('klusterlet', { name: 'klusterlet' }, [serviceAccountSubject(operatorNamespace, 'klusterlet')]),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: pullSecret, namespace: operatorNamespace },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from('{"auths":{}}').toString('base64') },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'klusterlet', namespace: operatorNamespace },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { serviceAccountName: 'klusterlet', containers: [container] } },
      },
    },
  ];
}

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const klusterletCrd: AnyObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'klusterlets.operator.open-cluster-management.io' },
  spec: {
    group: 'operator.open-cluster-management.io',
    scope: 'Cluster',
    names: { kind: 'Klusterlet', listKind: 'KlusterletList', plural: 'klusterlets', singular: 'klusterlet' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: anything, status: anything } } },
        subresources: { status: {} },
      },
    ],
  },
};

const all = 'create, get, list, update, watch, patch, delete';

/** The values that `clusteradm join` passes to the operator (recorded). */
const operatorRules = [
  rule('', 'configmaps, serviceaccounts', all),
  rule('', 'secrets', 'create'),
  rule('', 'secrets', 'update, get, list, watch, delete', [
    pullSecret,
    bootstrapSecret,
    'hub-kubeconfig-secret',
    'external-managed-kubeconfig',
    'external-managed-kubeconfig-work',
    'external-managed-kubeconfig-registration',
    'external-managed-kubeconfig-agent',
  ]),
  rule('', 'pods', 'get'),
  rule('apps', 'replicasets', 'get'),
  rule('coordination.k8s.io', 'leases', 'create, get, list, update, watch, patch'),
  rule('authorization.k8s.io', 'subjectaccessreviews', 'create'),
  rule('', 'namespaces', all),
  rule('', 'nodes', 'get, list, watch'),
  rule(', events.k8s.io', 'events', 'create, patch, update'),
  rule('apps', 'deployments', all),
  rule('rbac.authorization.k8s.io', 'clusterrolebindings, rolebindings', all),
  rule('rbac.authorization.k8s.io', 'clusterroles, roles', `${all}, escalate, bind`),
  rule('apiextensions.k8s.io', 'customresourcedefinitions', all),
  rule('operator.open-cluster-management.io', 'klusterlets', 'get, list, watch, update, patch, delete'),
  rule('operator.open-cluster-management.io', 'klusterlets/status', 'update, patch'),
  rule('work.open-cluster-management.io', 'appliedmanifestworks', 'list, update, patch'),
];

function bootstrapSecretObject({ server, caPem, token }: NonNullable<Installation['bootstrap']>): AnyObject {
  const kubeconfig = kubeconfigOf([
    { context: 'bootstrap', cluster: 'hub', user: 'bootstrap', connection: { server, caPem, token } },
  ]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: bootstrapSecret, namespace: agentNamespace },
    data: { kubeconfig: Buffer.from(kubeconfig).toString('base64') },
  };
}

function klusterletObject(clusterName: string, agentVersion: string): AnyObject {
  return {
    apiVersion: klusterlets.apiVersion,
    kind: klusterlets.kind,
    metadata: { name: 'klusterlet' },
    spec: {
      clusterName,
      deployOption: { mode: 'Singleton' },
      imagePullSpec: `${registry}/registration-operator:${agentVersion}`,
      registrationImagePullSpec: `${registry}/registration:${agentVersion}`,
      workImagePullSpec: `${registry}/work:${agentVersion}`,
      namespace: agentNamespace,
      externalServerURLs: [{ url: '' }],
      registrationConfiguration: {
        clientCertExpirationSeconds: 31_536_000,
        kubeAPIBurst: 100,
        kubeAPIQPS: 50,
        bootstrapKubeConfigs: { type: 'None' },
        registrationDriver: { authType: 'csr' },
        featureGates: [
          { feature: 'AddonManagement', mode: 'Enable' },
          { feature: 'ClusterClaim', mode: 'Enable' },
        ],
      },
      resourceRequirement: { type: 'Default' },
    },
  };
}

async function untilServed(admin: Api): Promise<void> {
  const isServed = () =>
    admin.list<KubeObject>(klusterlets).then(
      () => true,
      () => false,
    );
  while (!(await isServed()));
}
