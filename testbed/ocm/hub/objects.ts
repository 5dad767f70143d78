import type { AnyObject } from '../../kube/objects.ts';
import { clusterManagers, deployments, managedClusterSets } from '../../kube/resources.ts';
import { hubNamespace, operatorNamespace, pullSecret } from '../names.ts';
import { bindingObject, type Rule, roleObject, serviceAccountObject, serviceAccountSubject } from '../rbac.ts';
import { bootstrapNames, type HubOptions, imageOf } from './options.ts';
import {
  addonManagerRules,
  bootstrapRules,
  hubOperatorRules,
  placementControllerRules,
  registrationControllerRules,
  registrationWebhookRules,
} from './roles.ts';
import { serviceObject } from './webhooks.ts';

/** The contents of a hub's two namespaces, and the permissions of its programs. */
export function hubObjects(options: HubOptions): AnyObject[] {
  const programs = [...operatorPrograms, ...hubPrograms(options)];
  return [
    ...bootstrapObjects(options),
    ...[operatorNamespace, hubNamespace].map(pullSecretObject),
    ...programs.flatMap(({ namespace, account }) => serviceAccountObject(account, { namespace })),
    ...programs.flatMap(rightsOf),
    ...programs.map((program) => deploymentObject(program, options)),
    ...['addon-webhook', 'placement', 'registration-webhook', 'work-webhook'].map(serviceObject),
    // Nothing in the bed needs these two; they are visible to users of a hub.
    roleObject(`${rolePrefix}-work-executor-admin:webhook`, []),
    bindingObject(
      `${rolePrefix}-addon-manager-work-executor:controller`,
      { name: `${rolePrefix}-addon-manager:controller` },
      [serviceAccountSubject(hubNamespace, 'addon-manager-controller-sa')],
    ),
  ];
}

const rolePrefix = 'open-cluster-management:cluster-manager';

/** One Deployment of a hub. */
interface HubProgram {
  namespace: string;
  name: string;
  account: string;
  image: string;
  args: string[];
  /** The ClusterRole of its service account, if it has one. */
  role?: string;
  rules?: Rule[];
  /** The Secret with the certificate that it serves with. */
  servingSecret?: string;
  replicas?: number;
}

/** The operator gives the others their images; installHub does the rest of its work. */
const operatorPrograms: HubProgram[] = [
  {
    namespace: operatorNamespace,
    name: 'cluster-manager',
    account: 'cluster-manager',
    image: 'registration-operator',
    args: ['/registration-operator', 'hub'],
    role: 'cluster-manager',
    rules: hubOperatorRules,
    replicas: 3,
  },
];

/** All do their work except the webhook of add-ons, which exists for display only. */
function hubPrograms(options: HubOptions): HubProgram[] {
  const program = (short: string, account: string, image: string, args: string[], rest: Partial<HubProgram> = {}) => ({
    namespace: hubNamespace,
    name: `cluster-manager-${short}`,
    account,
    image,
    args,
    ...rest,
  });
  const trusted = `system:serviceaccount:${operatorNamespace}:${bootstrapNames(options).account}`;
  const gates = ['--feature-gates=ManagedClusterAutoApproval=true', `--auto-approved-csr-users=${trusted}`];
  const webhook = ['webhook-server', '--port=9443'];
  return [
    program(
      'registration-controller',
      'registration-controller-sa',
      'registration',
      ['/registration', 'controller', ...(options.autoApprove ? gates : [])],
      { role: `${rolePrefix}-registration:controller`, rules: registrationControllerRules },
    ),
    program('registration-webhook', 'registration-webhook-sa', 'registration', ['/registration', ...webhook], {
      role: `${rolePrefix}-registration:webhook`,
      rules: registrationWebhookRules,
      servingSecret: 'registration-webhook-serving-cert',
    }),
    program('work-webhook', 'work-webhook-sa', 'work', ['/work', ...webhook], {
      role: `${rolePrefix}-work:webhook`,
      servingSecret: 'work-webhook-serving-cert',
    }),
    program('placement-controller', 'placement-controller-sa', 'placement', ['/placement', 'controller'], {
      role: `${rolePrefix}-placement:controller`,
      rules: placementControllerRules,
    }),
    program('addon-manager-controller', 'addon-manager-controller-sa', 'addon-manager', ['/addon', 'manager'], {
      role: `${rolePrefix}-addon-manager:controller`,
      rules: addonManagerRules,
    }),
    program('addon-webhook', 'addon-webhook-sa', 'addon-manager', ['/addon', ...webhook]),
  ];
}

function rightsOf({ namespace, account, role, rules = [] }: HubProgram): AnyObject[] {
  if (!role) return [];
  return [roleObject(role, rules), bindingObject(role, { name: role }, [serviceAccountSubject(namespace, account)])];
}

function deploymentObject(
  { namespace, name, account, image, args, servingSecret, replicas = 1 }: HubProgram,
  options: HubOptions,
): AnyObject {
  const labels = { app: name };
  const volume = 'webhook-secret';
  const mounts = servingSecret && { volumeMounts: [{ name: volume, mountPath: '/serving-certs' }] };
  const container = { name: name.replace('cluster-manager-', ''), image: imageOf(image, options), args, ...mounts };
  return {
    apiVersion: deployments.apiVersion,
    kind: deployments.kind,
    metadata: { namespace, name, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: account,
          containers: [container],
          ...(servingSecret && { volumes: [{ name: volume, secret: { secretName: servingSecret } }] }),
        },
      },
    },
  };
}

/** What agents bootstrap with (ocm deploy/cluster-manager/chart, bootstrap_*.yaml). */
export function bootstrapObjects(options: HubOptions): AnyObject[] {
  const { account, role, binding } = bootstrapNames(options);
  return [
    serviceAccountObject(account, { namespace: operatorNamespace }),
    roleObject(role, bootstrapRules),
    bindingObject(binding, { name: role }, [serviceAccountSubject(operatorNamespace, account)]),
  ];
}

export function namespaceObject(name: string): AnyObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function pullSecretObject(namespace: string): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: pullSecret, namespace },
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': '{"auths":{}}' },
  };
}

export function clusterManagerObject(options: HubOptions): AnyObject {
  const { drivers, autoApprove } = options;
  return {
    apiVersion: clusterManagers.apiVersion,
    kind: clusterManagers.kind,
    metadata: { name: 'cluster-manager' },
    spec: {
      addOnManagerImagePullSpec: imageOf('addon-manager', options),
      deployOption: { mode: 'Default' },
      placementImagePullSpec: imageOf('placement', options),
      registrationConfiguration: {
        featureGates: [{ feature: 'ManagedClusterAutoApproval', mode: autoApprove ? 'Enable' : 'Disable' }],
        ...(drivers && { registrationDrivers: drivers.map((authType) => ({ authType })) }),
      },
      registrationImagePullSpec: imageOf('registration', options),
      workImagePullSpec: imageOf('work', options),
    },
  };
}

/**
 * The sets that every hub has: `default` by label, `global` with every cluster in it (ocm
 * pkg/registration/hub/managedclusterset).
 */
export function clusterSetObject(name: 'default' | 'global'): AnyObject {
  const clusterSelector =
    name === 'default'
      ? { selectorType: 'ExclusiveClusterSetLabel' }
      : { selectorType: 'LabelSelector', labelSelector: {} };
  return {
    apiVersion: managedClusterSets.apiVersion,
    kind: managedClusterSets.kind,
    metadata: { name },
    spec: { clusterSelector },
  };
}
