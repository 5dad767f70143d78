import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../../kube/api.ts';
import { kubeconfigOf } from '../../kube/kubeconfig.ts';
import type { AnyObject, Deployment } from '../../kube/objects.ts';
import { deployments, managedClusters, resourceOf } from '../../kube/resources.ts';
import { Authority } from '../../plane/pki.ts';
import type { Plane } from '../../plane/plane.ts';
import { hubCrds } from '../crds.ts';
import { hubNamespace, operatorNamespace, pullSecret } from '../names.ts';
import { bindingObject, type Rule, roleObject, serviceAccountObject, serviceAccountSubject } from '../rbac.ts';
import { clusterSetObject } from './cluster-sets.ts';
import { bootstrapRules, registrationControllerRules, registrationWebhookRules } from './roles.ts';
import { serviceObject, webhookObjects } from './webhooks.ts';

/** How a hub may differ from what `clusteradm init` of today makes. */
export interface HubOptions {
  /** The version of its images, v1.3.1 by default. */
  version?: string;
  /** Where its images are from, quay.io/open-cluster-management by default. */
  registry?: string;
  /** As hubs before 0.11 were: the service account cluster-bootstrap instead of agent-registration-bootstrap. */
  olderBootstrap?: boolean;
  /** The registration drivers that its ClusterManager names; by default it names none, which means csr. */
  drivers?: ('csr' | 'grpc' | 'awsirsa')[];
  /** The server in kube-public/cluster-info, the internal one by default; false for none at all. */
  clusterInfo?: false | { server: string };
  /** Approves the requests of the bootstrap service account, and accepts every cluster (gate ManagedClusterAutoApproval). */
  autoApprove?: boolean;
}

const readyTimeout = 60_000;

/** Makes a plane a hub: what the cluster-manager operator would, written by an administrator (live/objects-of-a-hub.txt). */
export async function installHub(plane: Plane, options: HubOptions = {}): Promise<void> {
  const { admin } = plane;
  await Promise.all([
    createAll(admin, hubCrds),
    createAll(admin, [namespaceObject(operatorNamespace), namespaceObject(hubNamespace)]),
  ]);
  await createAll(admin, [
    ...bootstrapObjects(options),
    ...operatorObjects(),
    ...controllerObjects(options),
    ...clusterInfo(plane, options),
  ]);
  await untilServed(admin);
  const webhooks = webhookObjects(await Authority.create('open-cluster-management-webhook-signer'));
  await createAll(admin, await webhooks.serving);
  await createAll(admin, [clusterManagerObject(options), ...['default', 'global'].map(clusterSetObject)]);
  await untilReady(admin);
  // As the real operator: not before the programs behind them are ready (facts 1.6).
  await createAll(admin, webhooks.configurations);
}

async function createAll(admin: Api, objects: AnyObject[]): Promise<void> {
  await Promise.all(objects.map((object) => admin.create(resourceOf(object), object)));
}

function namespaceObject(name: string): AnyObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** What agents bootstrap with (facts 3.1, live/rbac.json; clusteradm.md for the names before 0.11). */
function bootstrapObjects({ olderBootstrap }: HubOptions): AnyObject[] {
  const [account, role, binding] = olderBootstrap
    ? ['cluster-bootstrap', 'system:open-cluster-management:bootstrap', 'cluster-bootstrap-sa']
    : [
        'agent-registration-bootstrap',
        'open-cluster-management:bootstrap',
        'open-cluster-management:bootstrap:agent-registration',
      ];
  return [
    serviceAccountObject(account, { namespace: operatorNamespace }),
    roleObject(role, bootstrapRules),
    bindingObject(binding, { name: role }, [serviceAccountSubject(operatorNamespace, account)]),
  ];
}

/** The operator is there to be seen; its work is done by this file. */
function operatorObjects(): AnyObject[] {
  return [
    serviceAccountObject('cluster-manager', { namespace: operatorNamespace }),
    ...boundRole('cluster-manager', operatorNamespace, 'cluster-manager', []),
    ...[operatorNamespace, hubNamespace].map(pullSecretObject),
  ];
}

function controllerObjects(options: HubOptions): AnyObject[] {
  const role = (program: string) => `open-cluster-management:cluster-manager-${program}`;
  return [
    ...hubAccount('registration-controller-sa', role('registration:controller'), registrationControllerRules),
    ...hubAccount('registration-webhook-sa', role('registration:webhook'), registrationWebhookRules),
    ...hubAccount('work-webhook-sa', role('work:webhook'), []),
    ...hubAccount('addon-manager-controller-sa', role('addon-manager:controller'), []),
    ...hubAccount('placement-controller-sa', role('placement:controller'), []),
    roleObject(role('work-executor-admin:webhook'), []),
    bindingObject(role('addon-manager-work-executor:controller'), { name: role('addon-manager:controller') }, [
      serviceAccountSubject(hubNamespace, 'addon-manager-controller-sa'),
    ]),
    serviceAccountObject('addon-webhook-sa', { namespace: hubNamespace }),
    ...['addon-webhook', 'placement', 'registration-webhook', 'work-webhook'].map(serviceObject),
    ...hubDeployments(options),
  ];
}

function hubAccount(account: string, role: string, rules: Rule[]): AnyObject[] {
  return [serviceAccountObject(account, { namespace: hubNamespace }), ...boundRole(role, hubNamespace, account, rules)];
}

function boundRole(role: string, namespace: string, account: string, rules: Rule[]): AnyObject[] {
  return [roleObject(role, rules), bindingObject(role, { name: role }, [serviceAccountSubject(namespace, account)])];
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

function hubDeployments(options: HubOptions): AnyObject[] {
  const image = (name: string) => imageOf(name, options);
  const gates = options.autoApprove
    ? ['--feature-gates=ManagedClusterAutoApproval=true', `--auto-approved-csr-users=${bootstrapUser(options)}`]
    : [];
  const webhook = (name: string) => ({
    args: [`/${name}`, 'webhook-server', '--port=9443'],
    secret: `${name}-webhook-serving-cert`,
  });
  return [
    deployment(operatorNamespace, 'cluster-manager', 'cluster-manager', image('registration-operator'), {
      args: ['/registration-operator', 'hub'],
      replicas: 3,
    }),
    deployment(
      hubNamespace,
      'cluster-manager-registration-controller',
      'registration-controller-sa',
      image('registration'),
      {
        args: ['/registration', 'controller', ...gates],
      },
    ),
    deployment(
      hubNamespace,
      'cluster-manager-registration-webhook',
      'registration-webhook-sa',
      image('registration'),
      webhook('registration'),
    ),
    deployment(hubNamespace, 'cluster-manager-work-webhook', 'work-webhook-sa', image('work'), webhook('work')),
    deployment(hubNamespace, 'cluster-manager-placement-controller', 'placement-controller-sa', image('placement'), {
      args: ['/placement', 'controller'],
    }),
    deployment(
      hubNamespace,
      'cluster-manager-addon-manager-controller',
      'addon-manager-controller-sa',
      image('addon-manager'),
      {
        args: ['/addon', 'manager'],
      },
    ),
    deployment(hubNamespace, 'cluster-manager-addon-webhook', 'addon-webhook-sa', image('addon-manager'), {
      args: ['/addon', 'webhook-server'],
    }),
  ];
}

function imageOf(
  name: string,
  { registry = 'quay.io/open-cluster-management', version = 'v1.3.1' }: HubOptions,
): string {
  return `${registry}/${name}:${version}`;
}

function bootstrapUser({ olderBootstrap }: HubOptions): string {
  return `system:serviceaccount:${operatorNamespace}:${olderBootstrap ? 'cluster-bootstrap' : 'agent-registration-bootstrap'}`;
}

function deployment(
  namespace: string,
  name: string,
  serviceAccountName: string,
  image: string,
  { args, secret, replicas = 1 }: { args: string[]; secret?: string; replicas?: number },
): AnyObject {
  const labels = { app: name };
  const container = { name: name.replace('cluster-manager-', ''), image, args };
  const mount = secret && { volumeMounts: [{ name: 'webhook-secret', mountPath: '/serving-certs' }] };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName,
          containers: [{ ...container, ...mount }],
          ...(secret && { volumes: [{ name: 'webhook-secret', secret: { secretName: secret } }] }),
        },
      },
    },
  };
}

/** kube-public/cluster-info, where programs find the address that agents are to use (live/joined-objects.json). */
function clusterInfo(plane: Plane, { clusterInfo: info = { server: plane.internalServer } }: HubOptions): AnyObject[] {
  if (!info) return [];
  const connection = { server: info.server, caPem: plane.caPem };
  const kubeconfig = kubeconfigOf([{ context: '', cluster: '', user: '', connection }]);
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cluster-info', namespace: 'kube-public' },
      immutable: true,
      data: { kubeconfig },
    },
  ];
}

function clusterManagerObject(options: HubOptions): AnyObject {
  const { drivers } = options;
  return {
    apiVersion: 'operator.open-cluster-management.io/v1',
    kind: 'ClusterManager',
    metadata: { name: 'cluster-manager' },
    spec: {
      addOnManagerImagePullSpec: imageOf('addon-manager', options),
      deployOption: { mode: 'Default' },
      placementImagePullSpec: imageOf('placement', options),
      registrationConfiguration: {
        featureGates: [{ feature: 'ManagedClusterAutoApproval', mode: options.autoApprove ? 'Enable' : 'Disable' }],
        ...(drivers && { registrationDrivers: drivers.map((authType) => ({ authType })) }),
      },
      registrationImagePullSpec: imageOf('registration', options),
      workImagePullSpec: imageOf('work', options),
    },
  };
}

/** The kinds of new CRDs are served a moment after they are stored. */
async function untilServed(admin: Api): Promise<void> {
  const resources = [managedClusters, ...hubCrds.map(servedBy)];
  for (const resource of resources) {
    for (const deadline = Date.now() + readyTimeout; ; await sleep(100)) {
      const served = await admin.list(resource).then(
        () => true,
        () => false,
      );
      if (served) break;
      if (Date.now() > deadline) throw new Error(`${resource.plural} are not served after ${readyTimeout / 1000} s`);
    }
  }
}

function servedBy(crd: AnyObject) {
  const { group, versions, names } = crd.spec as {
    group: string;
    versions: { name: string }[];
    names: { kind: string; plural: string };
  };
  return { apiVersion: `${group}/${versions[0]?.name}`, kind: names.kind, plural: names.plural };
}

async function untilReady(admin: Api): Promise<void> {
  for (const deadline = Date.now() + readyTimeout; ; await sleep(100)) {
    const lists = await Promise.all(
      [operatorNamespace, hubNamespace].map((namespace) => admin.list<Deployment>(deployments, { namespace })),
    );
    const waiting = lists
      .flatMap(({ items }) => items)
      .filter(({ spec, status }) => (status?.readyReplicas ?? 0) < (spec.replicas ?? 1));
    if (waiting.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(`the hub is not ready: ${waiting.map(({ metadata }) => metadata.name).join(', ')}`);
  }
}
