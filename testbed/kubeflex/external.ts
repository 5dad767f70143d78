import { parse, stringify } from 'yaml';
import type { Api, Connection } from '../kube/api.ts';
import { readCurrentContext } from '../kube/kubeconfig.ts';
import type { AnyObject, Secret } from '../kube/objects.ts';
import { clusterRoleBindings, secrets, serviceAccounts } from '../kube/resources.ts';
import type { Reconciled } from './cluster.ts';
import { adminSecret, inClusterKey } from './names.ts';

const account = { name: 'kubeflex', namespace: 'kube-system' };
const bindingName = `${account.name}-clusterrolebinding`;

interface RawConfig {
  'current-context'?: string;
  contexts?: { name: string; context: { cluster: string; user: string; namespace?: string } }[];
  clusters?: { name: string; cluster: Record<string, unknown> }[];
  users?: { name: string; user: { exec?: { command: string }; [field: string]: unknown } }[];
}

/**
 * Type external: a cluster that is adopted with the kubeconfig of a Secret, which is deleted once a service account of the adopted
 * cluster has a token for KubeFlex. After that the Secret is never read again.
 */
export async function reconcileExternal(its: Reconciled, connect: (connection: Connection) => Api): Promise<void> {
  const { namespace } = its;
  if (await its.api.find(secrets, `${namespace}/${adminSecret}`)) return;
  const { key, text } = await bootstrapKubeconfig(its);
  const adopted = connect(connectionOf(text));
  try {
    await step('creating ClusterRoleBinding on the adopted cluster', () => ensureBinding(adopted));
    await step('creating ServiceAccount on the adopted cluster', () => ensureAccount(adopted));
    const token = await step('requesting token from the adopted cluster', () => requestToken(its, adopted));
    await its.ensure<Secret>({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: adminSecret, namespace },
      type: 'Opaque',
      stringData: { [inClusterKey]: adoptedKubeconfig(its.name, text, token) },
    });
  } finally {
    adopted.close();
  }
  await its.api.delete(secrets, key);
}

async function bootstrapKubeconfig(its: Reconciled): Promise<{ key: string; text: string }> {
  const reference = its.controlPlane.spec.bootstrapSecretRef;
  if (!reference) throw new Error('bootstrapSecretRef must be present in the control plane');
  const key = `${reference.namespace}/${reference.name}`;
  const { data = {} } = await its.get<Secret>(secrets, key);
  const field = reference.inClusterKey || inClusterKey;
  if (data[field] === undefined) throw new Error(`kubeconfig not found in bootstrap secret for key ${field}`);
  return { key, text: Buffer.from(data[field], 'base64').toString() };
}

/** What KubeFlex supports in a kubeconfig: it runs in a container without the user's files and programs. */
function connectionOf(text: string): Connection {
  const config = parse(text) as RawConfig;
  const context = config.contexts?.find(({ name }) => name === config['current-context'])?.context;
  const { user = {} } = config.users?.find(({ name }) => name === context?.user) ?? {};
  if (user.exec) throw new Error(`getting credentials: exec: executable ${user.exec.command} not found`);
  const read = (path: string): never => {
    throw new Error(`invalid configuration: unable to read ${path}: open ${path}: no such file or directory`);
  };
  const { connection } = readCurrentContext(text, read);
  return connection;
}

async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`error ${what}: ${(error as Error).message}`);
  }
}

async function ensureBinding(adopted: Api): Promise<void> {
  if (await adopted.find(clusterRoleBindings, bindingName)) return;
  await adopted.create<AnyObject>(clusterRoleBindings, {
    metadata: { name: bindingName },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  });
}

async function ensureAccount(adopted: Api): Promise<void> {
  if (await adopted.find(serviceAccounts, `${account.namespace}/${account.name}`)) return;
  await adopted.create(serviceAccounts, { metadata: account });
}

async function requestToken(its: Reconciled, adopted: Api): Promise<string> {
  const expirationSeconds = its.controlPlane.spec.tokenExpirationSeconds ?? 365 * 86_400;
  const { status } = await adopted.post<{ status: { token: string } }>(
    serviceAccounts,
    `${account.namespace}/${account.name}`,
    'token',
    { spec: { audiences: [], expirationSeconds } },
  );
  return status.token;
}

/** The bootstrap kubeconfig's cluster, with the token instead of its user. */
function adoptedKubeconfig(name: string, bootstrap: string, token: string): string {
  const config = parse(bootstrap) as RawConfig;
  const context = config.contexts?.find((each) => each.name === config['current-context'])?.context;
  const cluster = config.clusters?.find((each) => each.name === context?.cluster);
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [cluster],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { ...context, user: name } }],
  });
}
