import type { Api, Connection } from '../../kube/api.ts';
import { readCurrentContext } from '../../kube/kubeconfig.ts';
import type { Condition, Secret } from '../../kube/objects.ts';
import { secrets } from '../../kube/resources.ts';
import { filesOf } from '../agent/hub-kubeconfig.ts';
import { bootstrapSecret, clusterLease, hubKubeconfigSecret } from '../names.ts';

interface Access {
  namespace?: string;
  verb: string;
  group: string;
  resource: string;
  subresource?: string;
  name?: string;
}

interface Finding {
  isWorking: boolean;
  reason: string;
  message: string;
}

export interface HubConnectionInput {
  api: Api;
  connect: (connection: Connection) => Api;
  namespace: string;
  clusterName: string;
}

const clusters = 'cluster.open-cluster-management.io';
const works = 'work.open-cluster-management.io';

/**
 * The condition HubConnectionDegraded, the operator's word on both kubeconfigs: each is tried out by asking the hub what its
 * user may do (facts 5.3; reasons and messages as in live/). The bootstrap kubeconfig does not matter once the other works.
 */
export async function hubConnection(input: HubConnectionInput): Promise<Condition> {
  const [bootstrap, hub] = await Promise.all([checkBootstrap(input), checkHub(input)]);
  const type = 'HubConnectionDegraded';
  if (hub.isWorking) return { type, status: 'False', reason: 'HubConnectionFunctional', message: hub.message };
  return {
    type,
    status: 'True',
    reason: `${bootstrap.reason},${hub.reason}`,
    message: `${bootstrap.message}\n${hub.message}`,
  };
}

async function checkBootstrap({ api, connect, namespace }: HubConnectionInput): Promise<Finding> {
  const place = `${quote(namespace)} ${quote(bootstrapSecret)}`;
  const failed = (reason: string, message: string) => ({ isWorking: false, reason, message });
  const secret = await findSecret(api, namespace, bootstrapSecret);
  if (!secret) {
    return failed(
      'BootstrapSecretMissing',
      `Failed to get bootstrap secret ${place}: secrets ${quote(bootstrapSecret)} not found`,
    );
  }
  let connection: Connection;
  try {
    connection = readCurrentContext(filesOf(secret).kubeconfig ?? '').connection;
  } catch (error) {
    return failed(
      'BootstrapSecretError',
      `Failed to build bootstrap kube client with bootstrap secret ${place}: ${(error as Error).message}`,
    );
  }
  const hub = connect(connection);
  try {
    for (const access of bootstrapAccess) {
      try {
        if (await isAllowed(hub, access)) continue;
      } catch (error) {
        return failed(
          'BootstrapSecretError',
          `Failed to create ${goReview(access)} with bootstrap secret ${place}: ${(error as Error).message}`,
        );
      }
      const where = `with bootstrap secret ${quote(namespace)}/${quote(bootstrapSecret)} to apiserver ${connection.server}`;
      return failed(
        'BootstrapSecretUnauthorized',
        `Operation for resource ${goAttributes(access)} is not allowed ${where}`,
      );
    }
  } finally {
    hub.close();
  }
  const message = `Bootstrap secret ${namespace}/${bootstrapSecret} to apiserver ${connection.server} is configured correctly`;
  return { isWorking: true, reason: 'BootstrapSecretFunctional', message };
}

async function checkHub({ api, connect, namespace, clusterName }: HubConnectionInput): Promise<Finding> {
  const place = `${quote(namespace)} ${quote(hubKubeconfigSecret)}`;
  const failed = (reason: string, message: string) => ({ isWorking: false, reason, message });
  const secret = await findSecret(api, namespace, hubKubeconfigSecret);
  if (!secret) {
    return failed(
      'HubKubeConfigSecretMissing',
      `Failed to get hub kubeconfig secret ${place}: secrets ${quote(hubKubeconfigSecret)} not found`,
    );
  }
  const files = filesOf(secret);
  if (!files.kubeconfig) {
    return failed(
      'HubKubeConfigMissing',
      `Failed to get kubeconfig from secret ${place}: the CSR must be approved on the hub`,
    );
  }
  const cluster = clusterName || files['cluster-name'];
  if (!cluster) return failed('ClusterNameMissing', `Failed to get cluster name from hub kubeconfig secret ${place}`);
  const { connection } = readCurrentContext(files.kubeconfig, (path) => files[path]);
  const hub = connect(connection);
  try {
    for (const access of hubAccess(cluster)) {
      try {
        if (await isAllowed(hub, access)) continue;
      } catch (error) {
        return failed(
          'HubKubeConfigError',
          `Failed to create ${goReview(access)} with hub config secret ${place}: ${(error as Error).message}`,
        );
      }
      const where = `with hub config secret ${quote(namespace)}/${quote(hubKubeconfigSecret)} to apiserver ${connection.server}`;
      return failed(
        'HubKubeConfigUnauthorized',
        `Operation for resource ${goAttributes(access)} is not allowed ${where}`,
      );
    }
  } finally {
    hub.close();
  }
  const message = `Hub kubeconfig secret ${namespace}/${hubKubeconfigSecret} to apiserver ${connection.server} is working`;
  return { isWorking: true, reason: 'HubConnectionFunctional', message };
}

function findSecret(api: Api, namespace: string, name: string): Promise<Secret | undefined> {
  return api.find<Secret>(secrets, `${namespace}/${name}`);
}

/** GetBootstrapSSARs (facts 3.1, end); managedclustersets/join is not among them. */
const bootstrapAccess: Access[] = [
  ...['create', 'get'].map((verb) => ({ verb, group: clusters, resource: 'managedclusters' })),
  ...['create', 'get', 'list', 'watch'].map((verb) => ({
    verb,
    group: 'certificates.k8s.io',
    resource: 'certificatesigningrequests',
  })),
];

/** GetHubConfigSSARs (facts 5.3). */
function hubAccess(name: string): Access[] {
  const all = (verbs: string[], access: Omit<Access, 'verb'>) => verbs.map((verb) => ({ verb, ...access }));
  const mailbox = { namespace: name };
  return [
    ...all(['get', 'list', 'watch'], { group: 'certificates.k8s.io', resource: 'certificatesigningrequests' }),
    ...all(['get', 'list', 'update', 'watch'], { group: clusters, resource: 'managedclusters', name }),
    ...all(['patch', 'update'], { group: clusters, resource: 'managedclusters', subresource: 'status', name }),
    ...all(['renew'], {
      group: 'register.open-cluster-management.io',
      resource: 'managedclusters',
      subresource: 'clientcertificates',
    }),
    ...all(['get', 'update'], { group: 'coordination.k8s.io', resource: 'leases', name: clusterLease, ...mailbox }),
    ...all(['create', 'patch', 'update'], { group: '', resource: 'events', ...mailbox }),
    ...all(['create', 'patch', 'update'], { group: 'events.k8s.io', resource: 'events', ...mailbox }),
    ...all(['get', 'list', 'watch', 'update'], { group: works, resource: 'manifestworks', ...mailbox }),
    ...all(['patch', 'update'], { group: works, resource: 'manifestworks', subresource: 'status', ...mailbox }),
  ];
}

async function isAllowed(hub: Api, resourceAttributes: Access): Promise<boolean> {
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const review = await hub.send<{ status: { allowed: boolean } }>('POST', path, { spec: { resourceAttributes } });
  return review.status.allowed;
}

/** How Go prints the review that was to be made. */
function goReview(access: Access): string {
  const meta = 'ObjectMeta:{      0 0001-01-01 00:00:00 +0000 UTC <nil> <nil> map[] map[] [] [] []}';
  const spec = `SelfSubjectAccessReviewSpec{ResourceAttributes:${goAttributes(access)},NonResourceAttributes:nil,}`;
  const status = 'SubjectAccessReviewStatus{Allowed:false,Reason:,EvaluationError:,Denied:false,}';
  return `&SelfSubjectAccessReview{${meta},Spec:${spec},Status:${status},}`;
}

function goAttributes({ namespace = '', verb, group, resource, subresource = '', name = '' }: Access): string {
  return (
    `&ResourceAttributes{Namespace:${namespace},Verb:${verb},Group:${group},Version:,Resource:${resource},` +
    `Subresource:${subresource},Name:${name},FieldSelector:nil,LabelSelector:nil,}`
  );
}

function quote(text: string): string {
  return JSON.stringify(text);
}
