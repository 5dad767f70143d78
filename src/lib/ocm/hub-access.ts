import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { advice, run } from '../core/next-step.ts';
import type { Kube, Reader } from '../kube/client/client.ts';
import { certificateAuthorityOf } from '../kube/client/credentials.ts';
import { describeCluster } from '../kube/client/errors.ts';
import type { ConfigMap, Deployment } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { parseImage, versionOf } from '../kube/image.ts';
import type { SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import { partialReader } from '../kube/partial-reader.ts';
import { requestToken } from '../kube/service-accounts.ts';
import { type Endpoint, presentAuthority } from './endpoint.ts';
import { parseClusterInfo } from './hub-kubeconfig.ts';
import type { JoinFile } from './join-file.ts';
import { bootstrapServiceAccount, clusterManagerName, hubNamespace, operatorNamespace } from './ocm-names.ts';
import type { ClusterManager } from './ocm-objects.ts';
import { requireHub } from './require-hub.ts';

/** What an ITS reports about itself, and how it is reached. */
interface Hub {
  external: Endpoint;
  /** What the hub publishes in kube-public/cluster-info; undefined if it publishes nothing. */
  internal: Endpoint | undefined;
  /** True if it may publish something that this user may not read. */
  internalForbidden: boolean;
  /** OCM's version, as `1.3.1`; undefined if the hub does not show it (images by digest, no right to read them). */
  ocmVersion: string | undefined;
  /** The registry of the hub's own images, as `quay.io/open-cluster-management`. */
  imageRegistry: string | undefined;
}

/** What a join needs of an ITS, with access to the ITS or only a join file from its administrator. */
export interface HubAccess extends Hub {
  /** Its name for display: the context, here or where the join file was written. */
  its: string;
  /** Undefined on the WEC's side alone. */
  kube: Kube | undefined;
  /** The certificate authority of its API server, if the one that it publishes is outdated. */
  presentAuthority?: string | undefined;
  /**
   * A bootstrap token. With access to the ITS itself it is a new one at each call: each WEC has its own, which shows whose request
   * it is, and which makes an agent restart.
   * @param account a service account that was made for one WEC, instead of the hub's own
   */
  token(account?: string): Promise<string>;
}

/**
 * @param certificateAuthority `--ca-file`, PEM: used if a context does not verify its server
 * @throws StellarError if it is not a hub, or its context has settings that agents cannot have
 */
export async function accessHub(
  kube: Kube,
  context: SelectedContext,
  certificateAuthority: string | undefined,
): Promise<HubAccess> {
  refuseUnverified(kube, context, certificateAuthority);
  const hub = await inspectHub(kube, context);
  return {
    ...{ ...hub, its: context.name, kube },
    presentAuthority: await presentAuthority(context.name, hub.internal, hub.external),
    token: async (account) => (await requestBootstrapToken(kube, undefined, account)).token,
  };
}

/** The known addresses of an ITS: from this machine, and from other clusters. @throws StellarError `not-a-hub` */
export async function hubEndpoints(kube: Kube, context: SelectedContext): Promise<Endpoint[]> {
  const { external, internal } = await inspectHub(kube, context);
  return internal === undefined ? [external] : [external, { ...internal, published: true }];
}

/** Access with a join file, which contains everything; the ITS itself is not accessible. */
export function accessByJoinFile({ its, external, internal, ocmVersion, imageRegistry, token }: JoinFile): HubAccess {
  const known = { its, kube: undefined, external, internal, internalForbidden: false, ocmVersion, imageRegistry };
  return { ...known, token: async () => token };
}

/**
 * An agent copies neither setting from its bootstrap kubeconfig (ocm pkg/registration/register/certificate.go): it would register
 * and then fail with x509 errors.
 */
function refuseUnverified(kube: Kube, { cluster }: SelectedContext, certificateAuthority: string | undefined): void {
  const setting = (['insecure-skip-tls-verify', 'tls-server-name'] as const).find((each) => cluster[each]);
  if (setting === undefined || certificateAuthority !== undefined) return;
  const message = `Context ${describeCluster(kube.cluster)} uses ${setting}, which agents do not use.`;
  const next = [advice('Give the certificate authority that agents are to trust: --ca-file FILE')];
  throw new StellarError('tls-settings-unusable', message, { next });
}

/**
 * Verifies that a cluster is an OCM hub, and reads what it reports about itself.
 * @throws StellarError `not-a-hub`
 */
export async function inspectHub(kube: Kube, { cluster }: SelectedContext): Promise<Hub> {
  // Optional facts: a failure to read them is not an error.
  const reader = partialReader(kube);
  const [, manager, info] = await Promise.all([
    requireHub(kube),
    reader.get<ClusterManager>(resources.clusterManagers, clusterManagerName),
    reader.get<ConfigMap>(resources.configMaps, 'cluster-info', { namespace: 'kube-public' }),
  ]);
  const image = parseImage(manager?.spec?.registrationImagePullSpec ?? (await controllerImage(reader)) ?? '');
  return {
    // After the requests: the client says what is wrong with a file that the context names.
    external: { server: kube.cluster.server, certificateAuthority: await certificateAuthorityOf(cluster) },
    internal: parseClusterInfo(info?.data?.kubeconfig),
    internalForbidden: reader.forbidden.has(resources.configMaps.plural),
    ocmVersion: image?.tag === undefined ? undefined : versionOf(image.tag),
    imageRegistry: image?.registry,
  };
}

async function controllerImage(hub: Reader): Promise<string | undefined> {
  const name = `${clusterManagerName}-registration-controller`;
  const deployment = await hub.get<Deployment>(resources.deployments, name, { namespace: hubNamespace });
  return deployment?.spec?.template?.spec?.containers?.[0]?.image;
}

interface BootstrapToken {
  token: string;
  expires: Date;
}

/** The API server refuses shorter ones (TokenRequest, spec.expirationSeconds). */
export const shortestTokenSeconds = 600;
const defaultTokenSeconds = 3600;

/**
 * Requests from the ITS a token of its bootstrap service account, with which an agent registers. A dry run requests nothing and the
 * token is a placeholder.
 * @throws StellarError `not-found` if the ITS has no such account
 */
export async function requestBootstrapToken(
  kube: Kube,
  seconds = defaultTokenSeconds,
  name: string = bootstrapServiceAccount,
): Promise<BootstrapToken> {
  const answer = await requestToken(kube, { namespace: operatorNamespace, name }, seconds);
  if (answer !== undefined) {
    const { token = '(token)', expirationTimestamp = Date.now() + seconds * 1000 } = answer;
    return { token, expires: new Date(expirationTimestamp) };
  }
  const message = `${describeCluster(kube.cluster)} has no bootstrap service account ${name} in namespace ${operatorNamespace}.`;
  const see = command`kubectl --context ${kube.cluster.context} -n ${operatorNamespace} get serviceaccounts,pods`;
  throw new StellarError('not-found', message, { next: [run(see, 'Is OCM still being installed?')] });
}
