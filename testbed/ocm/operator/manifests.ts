import type { AnyObject } from '../../kube/objects.ts';
import { managedCrds } from '../crds.ts';
import { bootstrapSecret, hubKubeconfigSecret, pullSecret } from '../names.ts';
import { bindingObject, roleObject, rule, serviceAccountObject, serviceAccountSubject } from '../rbac.ts';
import { deploymentNames, type Wanted } from './klusterlet-spec.ts';
import { networkPoliciesFor } from './network-policies.ts';

const createdBy = 'open-cluster-management.io/created-by-klusterlet';
const system = 'kube-system';

/** All objects of the operator except namespaces, pull secrets and Deployments, in the order of recorded relatedResources. */
export function staticObjects(wanted: Wanted): AnyObject[] {
  return [
    ...managedCrds,
    ...accounts(wanted),
    ...managedRbac(wanted),
    ...managementRbac(wanted),
    ...networkPoliciesFor(wanted),
  ];
}

export function namespaceObject(name: string, klusterlet: string): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: { 'operator.open-cluster-management.io/klusterlet': klusterlet },
      annotations: { 'workload.openshift.io/allowed': 'management' },
    },
  };
}

function registrationAccount({ name, isSingleton }: Wanted): string {
  return isSingleton ? `${name}-work-sa` : `${name}-registration-sa`;
}

function accounts(wanted: Wanted): AnyObject[] {
  const { name, namespace, isSingleton } = wanted;
  const names = isSingleton ? [`${name}-work-sa`] : [`${name}-registration-sa`, `${name}-work-sa`];
  return names.map((account) => ({
    ...serviceAccountObject(account, { namespace, labels: labelsOf(wanted) }),
    imagePullSecrets: [{ name: pullSecret }],
  }));
}

/** Permissions on the managed cluster: what the agents read, and what workloads need. */
function managedRbac(wanted: Wanted): AnyObject[] {
  const { name, namespace } = wanted;
  const naming = { labels: labelsOf(wanted) };
  const role = (suffix: string) => `open-cluster-management:${name}-${suffix}`;
  const registration = [serviceAccountSubject(namespace, registrationAccount(wanted))];
  const work = [serviceAccountSubject(namespace, `${name}-work-sa`)];
  return [
    roleObject(
      role('registration:agent'),
      [
        rule('', 'nodes', 'get, list, watch'),
        rule('', 'namespaces', 'get, list, watch, create, update, patch'),
        rule('cluster.open-cluster-management.io', 'clusterclaims', 'get, list, watch'),
        rule('about.k8s.io', 'clusterproperties', 'get, list, watch'),
      ],
      naming,
    ),
    roleObject(
      role('registration:addon-management'),
      [rule('coordination.k8s.io', 'leases', 'get, list, watch')],
      naming,
    ),
    bindingObject(role('registration:agent'), { name: role('registration:agent') }, registration, naming),
    bindingObject(
      role('registration:addon-management'),
      { name: role('registration:addon-management') },
      registration,
      naming,
    ),
    roleObject(
      role('work:agent'),
      [
        rule(
          'work.open-cluster-management.io',
          'appliedmanifestworks',
          'get, list, watch, create, update, patch, delete',
        ),
        rule(
          'work.open-cluster-management.io',
          'appliedmanifestworks/status, appliedmanifestworks/finalizers',
          'update, patch',
        ),
        rule('authorization.k8s.io', 'subjectaccessreviews', 'create'),
        rule('', 'namespaces', 'get, list, watch'),
      ],
      naming,
    ),
    executionRole(role('work:execution'), wanted),
    bindingObject(role('work:agent'), { name: role('work:agent') }, work, naming),
    aggregateRole(role('work:aggregate'), wanted),
    bindingObject(role('work:aggregate'), { name: role('work:aggregate') }, work, naming),
    bindingObject(role('work:execution-admin'), { name: 'admin' }, work, naming),
  ];
}

/** Permissions for workloads that the admin role lacks: namespaces, CRDs, and roles of any kind. */
function executionRole(name: string, wanted: Wanted): AnyObject {
  const rules = [
    rule('apiextensions.k8s.io', 'customresourcedefinitions', 'get, list, watch, create, update, patch, delete'),
    rule('', 'namespaces', 'get, list, watch, create, update, patch, delete'),
    rule(
      'rbac.authorization.k8s.io',
      'clusterroles, clusterrolebindings, roles, rolebindings',
      'get, list, watch, create, update, patch, delete, escalate, bind',
    ),
  ];
  const labels = { ...labelsOf(wanted), 'open-cluster-management.io/aggregate-to-work': 'true' };
  return roleObject(name, rules, { labels });
}

function aggregateRole(name: string, wanted: Wanted): AnyObject {
  const matchLabels = { 'open-cluster-management.io/aggregate-to-work': 'true' };
  // kube-controller-manager fills in the rules.
  const { rules: _filledIn, ...role } = roleObject(name, [], { labels: labelsOf(wanted) });
  return { ...role, metadata: role.metadata, aggregationRule: { clusterRoleSelectors: [{ matchLabels }] } };
}

/** Permissions on the agents' own cluster, which in these modes is the same one. */
function managementRbac(wanted: Wanted): AnyObject[] {
  const { name, namespace } = wanted;
  const labels = labelsOf(wanted);
  const role = (suffix: string) => `open-cluster-management:management:${name}${suffix}`;
  const registration = [serviceAccountSubject(namespace, registrationAccount(wanted))];
  const work = [serviceAccountSubject(namespace, `${name}-work-sa`)];
  const extension = { kind: 'Role' as const, name: role(':extension-apiserver') };
  const own = [
    rule('', 'configmaps, secrets', 'get, list, watch, create, update, patch, delete'),
    rule('', 'pods', 'get'),
    rule('apps', 'replicasets', 'get'),
    rule('coordination.k8s.io', 'leases', 'create, get, list, update, watch, patch'),
    rule(', events.k8s.io', 'events', 'create, patch, update'),
  ];
  const reader = rule('', 'configmaps', 'get, list, watch', ['extension-apiserver-authentication']);
  const [forRegistration, forWork, forAddons] = [
    role('-registration:agent'),
    role('-work:agent'),
    role('-registration:addon-management'),
  ];
  return [
    roleObject(extension.name, [reader], { namespace: system, labels }),
    roleObject(forRegistration, own, { namespace, labels }),
    bindingObject(forRegistration, { kind: 'Role', name: forRegistration }, registration, { namespace, labels }),
    bindingObject(forRegistration, extension, registration, { namespace: system, labels }),
    roleObject(forAddons, [rule('', 'secrets', 'get, list, watch')], { labels }),
    bindingObject(forAddons, { name: forAddons }, registration, { labels }),
    roleObject(forWork, own, { namespace, labels }),
    bindingObject(forWork, { kind: 'Role', name: forWork }, work, { namespace, labels }),
    bindingObject(forWork, extension, work, { namespace: system, labels }),
  ];
}

/** The agents' Deployments (ocm manifests/klusterlet/management). */
export function deploymentObjects(wanted: Wanted, { workReplicas }: { workReplicas: number }): AnyObject[] {
  const { name, uid, clusterName, isSingleton, spec } = wanted;
  const names = deploymentNames(wanted);
  const registration = spec.registrationConfiguration ?? {};
  const cluster = `--spoke-cluster-name=${clusterName}`;
  const bootstrap = '--bootstrap-kubeconfig=/spoke/bootstrap/kubeconfig';
  const source = ['--workload-source-driver=kube', '--workload-source-config=/spoke/hub-kubeconfig/kubeconfig'];
  const urls = (spec.externalServerURLs ?? []).flatMap(({ url }) => url || []).join(',');
  const annotations = Object.entries(registration.clusterAnnotations ?? {});
  const registering = [
    ...(urls ? [`--spoke-external-server-urls=${urls}`] : []),
    ...annotations.map(([key, value]) => `--cluster-annotations=${key}=${value}`),
    ...(registration.clientCertExpirationSeconds
      ? [`--client-cert-expiration-seconds=${registration.clientCertExpirationSeconds}`]
      : []),
    `--kube-api-qps=${registration.kubeAPIQPS ?? 50}`,
    `--kube-api-burst=${registration.kubeAPIBurst ?? 100}`,
  ];
  const { appliedManifestWorkEvictionGracePeriod: grace } = spec.workConfiguration ?? {};
  const evicting = grace ? [`--appliedmanifestwork-eviction-grace-period=${grace}`] : [];
  const bootstrapVolume = {
    name: 'bootstrap-secret',
    mountPath: '/spoke/bootstrap',
    secret: { secretName: bootstrapSecret },
  };
  const scratchVolume = { name: 'hub-kubeconfig', mountPath: '/spoke/hub-kubeconfig', emptyDir: { medium: 'Memory' } };
  const hubVolume = {
    name: 'hub-kubeconfig-secret',
    mountPath: '/spoke/hub-kubeconfig',
    secret: { secretName: hubKubeconfigSecret },
  };
  if (isSingleton) {
    const args = [
      '/registration-operator',
      'agent',
      cluster,
      bootstrap,
      `--agent-id=${uid}`,
      ...source,
      '--status-sync-interval=60s',
      ...registering,
      ...evicting,
    ];
    const image = spec.imagePullSpec ?? '';
    return [
      deployment(wanted, names.registration, 'klusterlet-agent', `${name}-agent`, `${name}-work-sa`, image, args, 1, [
        bootstrapVolume,
        scratchVolume,
      ]),
    ];
  }
  const registrationArgs = ['/registration', 'agent', cluster, bootstrap, ...registering];
  const workArgs = [
    '/work',
    'agent',
    cluster,
    ...source,
    `--agent-id=${uid}`,
    '--status-sync-interval=60s',
    ...evicting,
  ];
  return [
    deployment(
      wanted,
      names.registration,
      'klusterlet-registration-agent',
      'registration-controller',
      registrationAccount(wanted),
      spec.registrationImagePullSpec ?? '',
      registrationArgs,
      1,
      [bootstrapVolume, scratchVolume],
    ),
    deployment(
      wanted,
      names.work,
      'klusterlet-manifestwork-agent',
      'klusterlet-manifestwork-agent',
      `${name}-work-sa`,
      spec.workImagePullSpec ?? '',
      workArgs,
      workReplicas,
      [hubVolume],
    ),
  ];
}

interface MountedVolume {
  name: string;
  mountPath: string;
  [source: string]: unknown;
}

function deployment(
  wanted: Wanted,
  name: string,
  app: string,
  containerName: string,
  serviceAccountName: string,
  image: string,
  args: string[],
  replicas: number,
  volumes: MountedVolume[],
): AnyObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: wanted.namespace, labels: { app, ...labelsOf(wanted) } },
    spec: {
      replicas,
      selector: { matchLabels: { app } },
      template: {
        metadata: { labels: { app } },
        spec: {
          serviceAccountName,
          containers: [
            {
              name: containerName,
              image,
              args,
              volumeMounts: volumes.map(({ name: volume, mountPath }) => ({ name: volume, mountPath })),
            },
          ],
          volumes: volumes.map(({ mountPath: _, ...volume }) => volume),
        },
      },
    },
  };
}

function labelsOf({ name }: Wanted): Record<string, string> {
  return { [createdBy]: name };
}
