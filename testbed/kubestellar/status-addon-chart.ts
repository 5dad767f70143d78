import type { AnyObject } from '../kube/objects.ts';
import {
  clusterManagementAddOns,
  managedClusterSetBindings,
  placements,
} from '../kube/resources.ts';
import { crd } from '../ocm/crds.ts';
import { addonNamespace } from '../ocm/names.ts';
import {
  bindingObject,
  type Rule,
  roleObject,
  rule,
  serviceAccountObject,
  serviceAccountSubject,
} from '../ocm/rbac.ts';

/** The status add-on's records on a hub. */
export const addonName = 'addon-status';

const controller = {
  name: 'addon-status-controller',
  account: 'addon-status-sa',
  role: 'addon-manager-role',
};

const text = { type: 'string' };

/** The kind of an ITS by which a WDS gets statuses. */
export const workStatusCrd: AnyObject = crd({
  group: 'control.kubestellar.io',
  versions: ['v1alpha1'],
  kind: 'WorkStatus',
  shortNames: ['ws', 'wss'],
  spec: {
    type: 'object',
    properties: {
      sourceRef: {
        type: 'object',
        properties: {
          group: text,
          version: text,
          resource: text,
          kind: text,
          namespace: text,
          name: text,
        },
        required: ['group', 'namespace'],
      },
    },
  },
});

/** The objects that the chart of KubeStellar's status add-on creates on a hub (ocm-status-addon chart/). */
export function statusAddonObjects(
  _release: string,
  namespace: string,
  version: string,
): AnyObject[] {
  const image = `ghcr.io/kubestellar/ocm-status-addon:${version.replace(/^v/, '')}`;
  const labels = { app: 'status-controller' };
  return [
    workStatusCrd,
    ...everywhere(namespace),
    serviceAccountObject(controller.account, { namespace }),
    roleObject(controller.role, rules),
    bindingObject('addon-manager-rolebinding', { name: controller.role }, [
      serviceAccountSubject(namespace, controller.account),
    ]),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: controller.name,
        namespace,
        labels: { ...labels, 'app.kubernetes.io/part-of': 'status-addon' },
      },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: controller.account,
            initContainers: [
              {
                name: 'create-crd',
                image: 'quay.io/kubestellar/kubectl:1.29.3',
                command: ['sh', '-c'],
                args: [announce(namespace)],
              },
            ],
            containers: [
              {
                name: 'status-controller',
                image,
                args: ['controller', '--v=2'],
                env: [{ name: 'STATUS_ADDDON_IMAGE_NAME', value: image }],
              },
            ],
          },
        },
      },
    },
  ];
}

/** A Placement that selects every reachable cluster. */
export function everywhere(namespace: string): AnyObject[] {
  const metadata = { name: 'global', namespace };
  const { apiVersion, kind } = managedClusterSetBindings;
  return [
    { apiVersion, kind, metadata, spec: { clusterSet: 'global' } },
    {
      apiVersion: placements.apiVersion,
      kind: placements.kind,
      metadata,
      spec: {
        clusterSets: ['global'],
        predicates: [{ requiredClusterSelector: { labelSelector: {} } }],
      },
    },
  ];
}

/** The add-on that the hub's add-on manager installs according to that Placement. */
export function addOnObject(namespace: string): AnyObject {
  return {
    apiVersion: clusterManagementAddOns.apiVersion,
    kind: clusterManagementAddOns.kind,
    metadata: { name: addonName },
    spec: {
      addOnMeta: {
        displayName: addonName,
        description: 'status addon provides full status on applied resources',
      },
      installStrategy: { type: 'Placements', placements: [{ name: 'global', namespace }] },
      supportedConfigs: [
        { group: 'addon.open-cluster-management.io', resource: 'addondeploymentconfigs' },
      ],
    },
  };
}

const announce = (
  namespace: string,
) => `until kubectl get clustermanagementaddons.addon.open-cluster-management.io &> /dev/null ; do
  sleep 5
done
echo "Creating addon-status object:"
kubectl apply -f - <<EOF
${JSON.stringify(addOnObject(namespace))}
EOF
`;

const all = 'create, delete, deletecollection, get, list, patch, update, watch';
const read = 'get, list, watch';

const rules: Rule[] = [
  rule('', 'configmaps, events', all),
  rule('addon.open-cluster-management.io', 'addondeploymentconfigs', read),
  rule(
    'addon.open-cluster-management.io',
    'clustermanagementaddons',
    'create, get, list, patch, update, watch',
  ),
  rule(
    'addon.open-cluster-management.io',
    'clustermanagementaddons/finalizers, managedclusteraddons/finalizers',
    'update',
  ),
  rule(
    'addon.open-cluster-management.io',
    'clustermanagementaddons/status, managedclusteraddons/status',
    'patch, update',
  ),
  rule(
    'addon.open-cluster-management.io',
    'managedclusteraddons',
    'create, delete, get, list, update, watch',
  ),
  rule(
    'certificates.k8s.io',
    'certificatesigningrequests, certificatesigningrequests/approval',
    'create, get, list, update, watch',
  ),
  rule('certificates.k8s.io', 'signers', 'approve'),
  rule('cluster.open-cluster-management.io', 'managedclusters', read),
  rule('control.kubestellar.io', 'workstatuses', all),
  rule('control.kubestellar.io', 'workstatuses/status', 'patch, update'),
  rule('coordination.k8s.io', 'leases', 'create, get, list, patch, update, watch'),
  rule(
    'rbac.authorization.k8s.io',
    'roles, rolebindings',
    'create, delete, get, list, update, watch',
  ),
  rule('work.open-cluster-management.io', 'manifestworks', all),
];

/** The objects that the add-on deploys to a managed cluster: its agent, which waits for the kubeconfig of its registration. */
export function agentManifests(
  cluster: string,
  image = 'ghcr.io/kubestellar/ocm-status-addon:0.2.0-rc17',
): AnyObject[] {
  const labels = { app: 'status-agent' };
  const namespace = addonNamespace;
  const account = 'status-agent-sa';
  const place = [`--cluster-name=${cluster}`, `--addon-namespace=${namespace}`];
  return [
    serviceAccountObject(account, { namespace }),
    bindingObject('status-agent', { name: 'cluster-admin' }, [
      serviceAccountSubject(namespace, account),
    ]),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'status-agent', namespace, labels },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: account,
            volumes: [
              { name: 'hub-config', secret: { secretName: `${addonName}-hub-kubeconfig` } },
            ],
            containers: [
              {
                name: 'status-agent',
                image,
                args: ['agent', '--hub-kubeconfig=/var/run/hub/kubeconfig', ...place],
                volumeMounts: [{ name: 'hub-config', mountPath: '/var/run/hub' }],
              },
            ],
          },
        },
      },
    },
  ];
}
