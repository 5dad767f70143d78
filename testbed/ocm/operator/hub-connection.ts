import { setTimeout as sleep } from 'node:timers/promises';
import type { Api, Connection } from '../../kube/api.ts';
import { readCurrentContext } from '../../kube/kubeconfig.ts';
import type { Condition, Secret } from '../../kube/objects.ts';
import { secrets } from '../../kube/resources.ts';
import { filesOf } from '../agent/hub-kubeconfig.ts';
import { bootstrapSecret, hubKubeconfigSecret } from '../names.ts';
import { type Access, bootstrapAccess, goAttributes, goReview, hubAccess, isAllowed } from './access.ts';

interface Finding {
  isWorking: boolean;
  reason: string;
  message: string;
}

/**
 * This many requests are sent to a hub at once, and then one every half second: the operator limits the load on hubs of many
 * clusters.
 */
const reviews = { burst: 5, pause: 500 };

export interface HubConnectionInput {
  api: Api;
  connect: (connection: Connection) => Api;
  namespace: string;
  clusterName: string;
  signal: AbortSignal;
}

/**
 * The condition HubConnectionDegraded of both kubeconfigs: each is tested by asking the hub for its user's permissions (ocm
 * pkg/operator/operators/klusterlet; reasons and messages as recorded). The bootstrap kubeconfig does not matter once the other
 * works. A successful check takes 9.5 s.
 */
export async function hubConnection(input: HubConnectionInput): Promise<Condition> {
  const hub = await checkHub(input);
  const type = 'HubConnectionDegraded';
  if (hub.isWorking) return { type, status: 'False', reason: 'HubConnectionFunctional', message: hub.message };
  const bootstrap = await checkBootstrap(input);
  const message = `${bootstrap.message}\n${hub.message}`;
  return { type, status: 'True', reason: `${bootstrap.reason},${hub.reason}`, message };
}

async function checkBootstrap({ api, connect, namespace, signal }: HubConnectionInput): Promise<Finding> {
  const secret = await api.find<Secret>(secrets, `${namespace}/${bootstrapSecret}`);
  if (!secret) return missing('BootstrapSecretMissing', 'bootstrap secret', namespace, bootstrapSecret);
  let connection: Connection;
  try {
    connection = readCurrentContext(filesOf(secret).kubeconfig ?? '').connection;
  } catch (error) {
    const place = `${quote(namespace)} ${quote(bootstrapSecret)}`;
    const why = (error as Error).message;
    return broken('BootstrapSecretError', `Failed to build kube client with bootstrap secret ${place}: ${why}`);
  }
  const words = { prefix: 'BootstrapSecret', called: 'bootstrap secret', namespace, name: bootstrapSecret };
  const problem = await tryOut(connect(connection), bootstrapAccess, words, signal);
  const place = `${namespace}/${bootstrapSecret} to apiserver ${connection.server}`;
  return problem ?? working('BootstrapSecretFunctional', `Bootstrap secret ${place} is configured correctly`);
}

async function checkHub({ api, connect, namespace, clusterName, signal }: HubConnectionInput): Promise<Finding> {
  const secret = await api.find<Secret>(secrets, `${namespace}/${hubKubeconfigSecret}`);
  if (!secret) return missing('HubKubeConfigSecretMissing', 'hub kubeconfig secret', namespace, hubKubeconfigSecret);
  const files = filesOf(secret);
  const absent = (what: string) =>
    `Failed to get ${what} from hub kubeconfig secret ${quote(namespace)} ${quote(hubKubeconfigSecret)}`;
  if (!files.kubeconfig) return broken('HubKubeConfigMissing', `${absent('kubeconfig')}: the CSR must be approved`);
  const cluster = clusterName || files['cluster-name'];
  if (!cluster) return broken('ClusterNameMissing', absent('cluster name'));
  const { connection } = readCurrentContext(files.kubeconfig, (path) => files[path]);
  const words = { prefix: 'HubKubeConfig', called: 'hub config secret', namespace, name: hubKubeconfigSecret };
  const problem = await tryOut(connect(connection), hubAccess(cluster), words, signal);
  const place = `${namespace}/${hubKubeconfigSecret} to apiserver ${connection.server}`;
  return problem ?? working('HubConnectionFunctional', `Hub kubeconfig secret ${place} is working`);
}

/** The operator's words for one of the two kubeconfigs. */
interface Words {
  prefix: string;
  called: string;
  namespace: string;
  name: string;
}

/** The first request that fails or is not allowed. */
async function tryOut(hub: Api, accesses: Access[], words: Words, signal: AbortSignal): Promise<Finding | undefined> {
  const { prefix, called } = words;
  const [namespace, name] = [quote(words.namespace), quote(words.name)];
  try {
    for (const [asked, access] of accesses.entries()) {
      if (asked >= reviews.burst) await sleep(reviews.pause, undefined, { signal });
      try {
        if (await isAllowed(hub, access)) continue;
      } catch (error) {
        const what = `Failed to create ${goReview(access)} with ${called} ${namespace} ${name}`;
        return broken(`${prefix}Error`, `${what}: ${(error as Error).message}`);
      }
      const where = `${called} ${namespace}/${name} to apiserver ${hub.connection.server}`;
      const what = `Operation for resource ${goAttributes(access)} is not allowed with ${where}`;
      return broken(`${prefix}Unauthorized`, what);
    }
    return undefined;
  } finally {
    hub.close();
  }
}

function missing(reason: string, called: string, namespace: string, name: string): Finding {
  const what = `Failed to get ${called} ${quote(namespace)} ${quote(name)}`;
  return broken(reason, `${what}: secrets ${quote(name)} not found`);
}

function broken(reason: string, message: string): Finding {
  return { isWorking: false, reason, message };
}

function working(reason: string, message: string): Finding {
  return { isWorking: true, reason, message };
}

function quote(text: string): string {
  return JSON.stringify(text);
}
