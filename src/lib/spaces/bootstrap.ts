import { readFileSync } from 'node:fs';
import { StellarError } from '../core/errors.ts';
import { advice, command } from '../core/next-step.ts';
import { isServerAddress } from '../core/object-names.ts';
import { clusterAt, type Kube } from '../kube/client/client.ts';
import { credentialsFailed } from '../kube/client/credentials.ts';
import { type KubeObject, resources, typeMeta } from '../kube/client/objects.ts';
import { hostOf } from '../kube/client/proxy.ts';
import {
  type ClusterEntry,
  type SelectedContext,
  withoutCredentials,
} from '../kube/kubeconfig/kubeconfig.ts';
import { requestToken } from '../kube/service-accounts.ts';
import { chooseEndpoint, isThisMachine } from '../ocm/hub/endpoint.ts';
import { readClusterInfo } from '../ocm/hub/hub-kubeconfig.ts';
import { managedBy, managedByLabel } from '../ocm/model/ocm-names.ts';
import { adminBinding, bootstrapSecretOf } from './space/space-manifests.ts';

/** An external cluster that will become a space: the user's access, and the address for the hosting cluster. */
export interface ExternalCluster {
  context: SelectedContext;
  kube: Kube;
  /** `--hub-apiserver` */
  address: string | undefined;
  /** Whether its context is in the kubeconfig where the space's context is written. */
  isOwnContext: boolean;
}

/**
 * Determines the entry of an external cluster for KubeFlex, without writing anything.
 * @param hosting the context of the hosting cluster
 * @throws StellarError `endpoint-unusable`, `kubeconfig-invalid`
 */
export async function prepareBootstrap(
  external: ExternalCluster,
  hosting: string,
): Promise<ClusterEntry> {
  const { context, kube, address } = external;
  if (address !== undefined) await checkAddress(address, hosting);
  const cluster = portable(context);
  const insecure = context.cluster['insecure-skip-tls-verify'];
  const { server, certificateAuthority } = await chooseEndpoint({
    its: context.name,
    wec: hosting,
    user: `the hosting cluster ${hosting}`,
    external: { server: cluster.server, certificateAuthority: undefined },
    internal: address === undefined ? await readClusterInfo(kube) : undefined,
    hubApiserver: address,
  });
  return {
    ...cluster,
    // client-go rejects it beside a certificate authority.
    ...(insecure && certificateAuthority === undefined && { 'insecure-skip-tls-verify': insecure }),
    ...clusterAt({ server, certificateAuthority }),
  };
}

/**
 * Builds the bootstrap Secret with which KubeFlex first accesses an external cluster, and then deletes the Secret. Apply it only while
 * the control plane has no credentials: a later Secret, with cluster-admin rights, would not be deleted. No credentials of the user
 * leave this machine: the service account that KubeFlex uses there is created now, and a token requested for it.
 * @param external a client for the external cluster
 */
export async function externalBootstrapSecret(
  name: string,
  external: Kube,
  cluster: ClusterEntry,
): Promise<KubeObject> {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name, user: { token: await mintToken(external) } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  const { name: secretName, namespace, inClusterKey } = bootstrapSecretOf(name);
  const metadata = { name: secretName, namespace, labels: { [managedByLabel]: managedBy } };
  const data = { [inClusterKey]: Buffer.from(JSON.stringify(kubeconfig)).toString('base64') };
  return { ...typeMeta(resources.secrets), metadata, type: 'Opaque', data } as KubeObject;
}

/** @throws StellarError `usage` for an invalid address, `endpoint-unusable` for an address that pods cannot reach */
async function checkAddress(address: string, hosting: string) {
  if (!isServerAddress(address))
    throw new StellarError(
      'usage',
      'That is not the address of an API server.',
      advice('As --hub-apiserver https://HOST:PORT'),
    );
  const url = new URL(address);
  if (await isThisMachine(hostOf(url)))
    throw new StellarError(
      'endpoint-unusable',
      `${url.origin} is a loopback address, which the pods of ${hosting} cannot use.`,
      advice(`${addressFor(hosting)}: --hub-apiserver https://…`),
    );
}

const addressFor = (hosting: string) =>
  command`Pass the address that the pods of ${hosting} reach it by`;

/**
 * How a cluster is reached and verified, for use where files of this machine do not exist, in a pod or on a colleague's machine: nothing
 * that is the user's own, such as a proxy or a password in an address.
 * @throws StellarError `kubeconfig-invalid` for a file that cannot be read
 */
export function portable({
  name,
  server,
  cluster,
}: SelectedContext): ClusterEntry & { server: string } {
  const {
    'certificate-authority': file,
    'certificate-authority-data': data,
    'tls-server-name': tlsName,
  } = cluster;
  try {
    const authority = data || (file && readFileSync(file, 'base64'));
    return {
      server: withoutCredentials(server),
      ...(authority && { 'certificate-authority-data': authority }),
      ...(tlsName && { 'tls-server-name': tlsName }),
    };
  } catch (error) {
    throw credentialsFailed(name, error);
  }
}

/** The account that KubeFlex creates in an external cluster (kubeflex pkg/reconcilers/external/kubeconfig.go). */
export const adoptedAccount = {
  name: 'kubeflex',
  namespace: 'kube-system',
  binding: 'kubeflex-clusterrolebinding',
};

/** The lifetime of the token in seconds. KubeFlex needs it for some; the API server accepts no less than 600. */
const tokenSeconds = 3600;

/** Requests a token of the service account that KubeFlex will use later, to leave no other objects in that cluster. */
async function mintToken(kube: Kube) {
  const { name, namespace, binding } = adoptedAccount;
  await kube.apply({ ...typeMeta(resources.serviceAccounts), metadata: { name, namespace } });
  await kube.apply(adminBinding({ name: binding }, { name, namespace }));
  return (await requestToken(kube, adoptedAccount, tokenSeconds))?.token ?? '';
}
