import { compareVersions, findVersion } from '../../core/text/version.ts';
import type { Kube } from '../../kube/client/client.ts';
import { type Deployment, type KubeObject, resources } from '../../kube/client/objects.ts';
import {
  agentNamespace,
  bootstrapSecretName,
  hubSecretName,
  isOurs,
  klusterletName,
  managedBy,
  managedByLabel,
  operatorName,
  operatorNamespace,
  pullSecretName,
} from '../model/ocm-names.ts';
import { newestOcm } from '../model/ocm-versions.ts';

const ownLabels = { [managedByLabel]: managedBy };
const labels = { app: operatorName, ...ownLabels };

/** Labels that the operator sets on objects that it creates for a Klusterlet: the current one, and that of OCM 1.0. */
const createdByLabels = ['open-cluster-management.io/created-by-klusterlet', 'createdByKlusterlet'];
/** The operator labels the agent's namespace with it (ocm pkg/operator/operators/klusterlet). */
const namespaceOfKlusterletLabel = 'operator.open-cluster-management.io/klusterlet';

/** Whether the operator has created an object for this tool's Klusterlet. */
export const createdByKlusterlet = ({ metadata }: KubeObject) =>
  createdByLabels.some((label) => metadata.labels?.[label] === klusterletName);

/** Whether a registration has created a namespace, through stellarctl or the operator. */
export const madeByRegistration = (namespace: KubeObject) =>
  createdByKlusterlet(namespace) ||
  namespace.metadata.labels?.[namespaceOfKlusterletLabel] === klusterletName ||
  isOurs(namespace);

const exceptDelete = ['create', 'get', 'list', 'update', 'watch', 'patch'];
const crud = [...exceptDelete, 'delete'];
const readVerbs = ['get', 'list', 'watch'];
const changeVerbs = ['update', 'patch'];

const rbacGroup = 'rbac.authorization.k8s.io';
const operatorGroup = 'operator.open-cluster-management.io';
const external = ['', '-work', '-registration', '-agent'].map(
  (part) => `external-managed-kubeconfig${part}`,
);
const ownSecrets = [pullSecretName, bootstrapSecretName, hubSecretName, ...external];

/** The operator's rights: the rules of OCM's own ClusterRole `klusterlet` of 1.3.1. */
const rules = [
  { apiGroups: [''], resources: ['configmaps', 'serviceaccounts'], verbs: crud },
  { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
  {
    apiGroups: [''],
    resources: ['secrets'],
    resourceNames: ownSecrets,
    verbs: ['update', ...readVerbs, 'delete'],
  },
  { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
  { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['get'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: exceptDelete },
  { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
  { apiGroups: [''], resources: ['namespaces'], verbs: crud },
  { apiGroups: [''], resources: ['nodes'], verbs: readVerbs },
  { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: crud },
  { apiGroups: [rbacGroup], resources: ['clusterrolebindings', 'rolebindings'], verbs: crud },
  {
    apiGroups: [rbacGroup],
    resources: ['clusterroles', 'roles'],
    verbs: [...crud, 'escalate', 'bind'],
  },
  { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: crud },
  {
    apiGroups: [operatorGroup],
    resources: ['klusterlets'],
    verbs: [...readVerbs, ...changeVerbs, 'delete'],
  },
  { apiGroups: [operatorGroup], resources: ['klusterlets/status'], verbs: changeVerbs },
  {
    apiGroups: ['work.open-cluster-management.io'],
    resources: ['appliedmanifestworks'],
    verbs: ['list', ...changeVerbs],
  },
];

/** What OCM after 1.3.1 adds, for a feature gate. */
const laterRules = [
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: crud },
];

/**
 * ClusterRole and binding: written first, because only the API server knows whether this user may grant these rights.
 * @param tag of the operator's image
 */
export function operatorRoles(tag: string): KubeObject[] {
  const version = findVersion(tag);
  const isLater = version === undefined || compareVersions(version, newestOcm) > 0;
  const role = {
    apiVersion: `${rbacGroup}/v1`,
    kind: 'ClusterRole',
    metadata: { name: operatorName, labels },
    rules: isLater ? [...rules, ...laterRules] : rules,
  };
  const binding = {
    apiVersion: `${rbacGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: operatorName, labels },
    roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: operatorName },
    subjects: [{ kind: 'ServiceAccount', name: operatorName, namespace: operatorNamespace }],
  };
  return [role, binding];
}

/** @param dockerConfig content of a docker `config.json` */
export const pullSecret = (dockerConfig: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: pullSecretName, namespace: operatorNamespace },
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': Buffer.from(dockerConfig).toString('base64') },
});

/** The requests of the operator, and of an agent. */
const requests = { cpu: '2m', memory: '16Mi' };

/** A container of OCM's, as OCM restricts it. @param image the registration-operator image with its tag */
export const restrictedContainer = (image: string) => ({
  name: operatorName,
  image,
  imagePullPolicy: 'IfNotPresent',
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    privileged: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
  },
  resources: { limits: { memory: '2Gi' }, requests },
  volumeMounts: [{ name: 'tmpdir', mountPath: '/tmp' }],
});

/** The operator itself, as OCM deploys it. @param image the registration-operator image with its tag */
export function operatorWorkload(image: string): KubeObject[] {
  const account = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: operatorName, namespace: operatorNamespace, labels },
    imagePullSecrets: [{ name: pullSecretName }],
  };
  const httpGet = { path: '/healthz', scheme: 'HTTPS', port: 8443 };
  const probe = { httpGet, initialDelaySeconds: 2, periodSeconds: 10 };
  const container = {
    ...restrictedContainer(image),
    args: ['/registration-operator', 'klusterlet'],
    env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
    livenessProbe: probe,
    readinessProbe: probe,
  };
  const volumes = [{ name: 'tmpdir', emptyDir: {} }];
  const spec = { serviceAccountName: operatorName, containers: [container], volumes };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: operatorName, namespace: operatorNamespace, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: operatorName } },
      template: { metadata: { labels: { app: operatorName } }, spec },
    },
  };
  return [account, deployment];
}

export const operatorNamespaceObject: KubeObject = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: operatorNamespace, labels: ownLabels },
};

export const agentNamespaceObject: KubeObject = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: agentNamespace,
    labels: ownLabels,
    annotations: { 'workload.openshift.io/allowed': 'management' },
  },
};

/** Starts the very operator that was read, if it is scaled to zero. */
export function startOperator(
  kube: Kube,
  { metadata: { name, namespace, uid } }: Deployment,
): Promise<unknown> {
  return kube.merge(
    resources.deployments,
    name,
    { metadata: { uid }, spec: { replicas: 1 } },
    { namespace },
  );
}
