import { readFile } from 'node:fs/promises';
import { StellarError } from '../errors.ts';
import type { Kube } from '../kube/client.ts';
import type { ClusterEntry, SelectedContext, UserEntry } from '../kube/kubeconfig.ts';
import type { ConfigMap, KubeObject } from '../kube/objects.ts';
import { resources } from '../kube/resources.ts';
import { parseClusterInfo } from '../ocm/cluster-info.ts';
import { chooseEndpoint } from '../ocm/endpoint.ts';
import { bootstrapSecretOf } from './manifests.ts';

/** An external cluster that is to become a space: as the user reaches it, and where the hosting cluster is to. */
export interface ExternalCluster {
  context: SelectedContext;
  kube: Kube;
  /** `--address` */
  address: string | undefined;
}

/**
 * Makes the Secret by which KubeFlex enters an external cluster, once: there it makes a service account of its own, and deletes the
 * Secret. So it is to be applied only while the control plane has no credentials: a later one would stay, with all rights.
 * @throws StellarError `endpoint-unusable`, `bootstrap-unusable`
 */
export async function bootstrapSecret(name: string, external: ExternalCluster, hosting: string): Promise<KubeObject> {
  const { context, kube, address } = external;
  const [cluster, user] = await Promise.all([flatCluster(context.cluster), portableUser(external)]);
  const { server, certificateAuthority } = await chooseEndpoint({
    its: context.name,
    wec: hosting,
    outside: { server: context.server, certificateAuthority: undefined },
    inside: address === undefined ? await publishedAddress(kube) : undefined,
    insideForbidden: false,
    hubApiserver: address,
    forceInside: undefined,
    certificateAuthority: undefined,
  }).catch((error: unknown) => {
    throw withAddressHint(error, name, hosting);
  });
  const authority =
    certificateAuthority === undefined
      ? {}
      : { 'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64') };
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { ...cluster, ...authority, server } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  const { name: secretName, namespace, inClusterKey } = bootstrapSecretOf(name);
  const { apiVersion, kind } = resources.secrets;
  return {
    apiVersion,
    kind,
    metadata: { name: secretName, namespace },
    type: 'Opaque',
    data: { [inClusterKey]: Buffer.from(JSON.stringify(kubeconfig)).toString('base64') },
  } as KubeObject;
}

async function publishedAddress(kube: Kube) {
  const info = await kube.get<ConfigMap>(resources.configMaps, 'cluster-info', { namespace: 'kube-public' });
  return parseClusterInfo(info?.data?.kubeconfig);
}

function withAddressHint(error: unknown, name: string, hosting: string): unknown {
  if (!(error instanceof StellarError) || error.code !== 'endpoint-unusable') return error;
  return new StellarError(
    error.code,
    error.message.replace(`an agent in ${hosting}`, `the hosting cluster ${hosting}`),
    {
      hint: `Pass the address that the pods of ${hosting} reach it by: stellarctl its create ${name} --type external --address https://…`,
    },
  );
}

async function flatCluster(cluster: ClusterEntry): Promise<ClusterEntry> {
  const { 'certificate-authority': file, ...flat } = cluster;
  if (!file || flat['certificate-authority-data']) return flat;
  return { ...flat, 'certificate-authority-data': (await readFile(file)).toString('base64') };
}

/** Credentials that a pod of the hosting cluster can use: programs and logins of this machine are not there. */
async function portableUser({ context, kube }: ExternalCluster): Promise<UserEntry> {
  const { user } = context;
  if (user.exec !== undefined || user['auth-provider'] !== undefined) return { token: await mintToken(kube) };
  const { 'client-certificate': certificate, 'client-key': key, tokenFile, ...flat } = user;
  if (certificate && !flat['client-certificate-data'])
    flat['client-certificate-data'] = (await readFile(certificate)).toString('base64');
  if (key && !flat['client-key-data']) flat['client-key-data'] = (await readFile(key)).toString('base64');
  if (tokenFile) flat.token = (await readFile(tokenFile, 'utf8')).trim();
  if (flat.token || flat['client-certificate-data'] || flat.username) return flat;
  throw new StellarError(
    'bootstrap-unusable',
    `The context ${context.name} has no credentials that KubeFlex could use.`,
    {
      hint: 'Give one that has a client certificate or a token: --bootstrap-context CONTEXT, --bootstrap-kubeconfig FILE',
    },
  );
}

/** What KubeFlex itself makes in an external cluster (kubeflex pkg/reconcilers/external/kubeconfig.go). */
export const adoptedAccount = { name: 'kubeflex', namespace: 'kube-system', binding: 'kubeflex-clusterrolebinding' };

/** How long the token is good for: KubeFlex needs it for seconds. The API server takes nothing below 600. */
const tokenSeconds = 3600;

/** A token of the service account that KubeFlex is about to use anyway, so that nothing more is left in that cluster. */
async function mintToken(kube: Kube): Promise<string> {
  const { name, namespace, binding } = adoptedAccount;
  const accounts = resources.serviceAccounts;
  const bindings = resources.clusterRoleBindings;
  await kube.apply({ apiVersion: accounts.apiVersion, kind: accounts.kind, metadata: { name, namespace } });
  await kube.apply({
    apiVersion: bindings.apiVersion,
    kind: bindings.kind,
    metadata: { name: binding },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  } as KubeObject);
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: tokenSeconds },
  };
  const { status } = await kube.create<{ status?: { token?: string } }>(accounts, request, {
    namespace,
    name,
    subresource: 'token',
  });
  return status?.token ?? '';
}
