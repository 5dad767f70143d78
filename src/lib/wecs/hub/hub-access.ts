import { StellarError } from '../../engine/errors.ts';
import { inWords } from '../../engine/next-step.ts';
import type { Kube } from '../../kube/client/client.ts';
import { certificateAuthorityOf } from '../../kube/client/credentials.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import type { SelectedContext } from '../../kube/kubeconfig/kubeconfig.ts';
import type { JoinFile } from '../join/join-file.ts';
import type { Endpoint } from './endpoint.ts';
import { type Hub, inspectHub } from './hub.ts';
import { requestBootstrapToken } from './token.ts';

/** What a join needs of an ITS, whether the ITS is at hand or only a join file from its administrator. */
export interface HubAccess {
  /** Its name for people: the context, here or where the join file was written. */
  its: string;
  /** Undefined on the WEC's side alone. */
  kube: Kube | undefined;
  outside: Endpoint;
  inside: Endpoint | undefined;
  /** True where there may be an inside address that this user may not read. */
  insideForbidden: boolean;
  ocmVersion: string | undefined;
  imageRegistry: string | undefined;
  /** A bootstrap token: asked for at the first call, the same for all WECs of one run. */
  token(): Promise<string>;
  /** Another token than the one before, for an agent that has to start anew. Only with access to the ITS itself. */
  anotherToken(): Promise<string>;
}

/**
 * @param certificateAuthority `--ca-file`, PEM: makes up for a context that does not verify its server
 * @throws StellarError when it is no hub, or its context has settings that agents cannot have
 */
export async function accessHub(
  kube: Kube,
  context: SelectedContext,
  certificateAuthority: string | undefined,
): Promise<HubAccess> {
  refuseUnverified(kube, context, certificateAuthority);
  const { outside, ...hub } = await inspectHubOf(kube, context);
  let token: Promise<string> | undefined;
  return {
    its: context.name,
    kube,
    outside,
    inside: hub.clusterInfo,
    insideForbidden: hub.clusterInfoForbidden,
    ocmVersion: hub.version,
    imageRegistry: hub.imageRegistry,
    token() {
      token ??= requestBootstrapToken(kube).then((answer) => answer.token);
      return token;
    },
    anotherToken: async () => (await requestBootstrapToken(kube)).token,
  };
}

/** The addresses by which an ITS is known: to this machine, and to other clusters. @throws StellarError `not-a-hub` */
export async function hubEndpoints(kube: Kube, context: SelectedContext): Promise<Endpoint[]> {
  const { outside, clusterInfo } = await inspectHubOf(kube, context);
  return clusterInfo === undefined ? [outside] : [outside, clusterInfo];
}

/** What a hub tells about itself, and how its context reaches it. @throws StellarError `not-a-hub`, `driver-unsupported` */
export async function inspectHubOf(kube: Kube, { cluster }: SelectedContext): Promise<Hub & { outside: Endpoint }> {
  const [hub, certificateAuthority] = await Promise.all([inspectHub(kube), certificateAuthorityOf(cluster)]);
  return { ...hub, outside: { server: kube.cluster.server, certificateAuthority } };
}

/** Access by a join file: everything is in it, and the ITS itself is out of reach. */
export function accessByJoinFile({ its, outside, inside, ocmVersion, imageRegistry, token }: JoinFile): HubAccess {
  const known = { its, kube: undefined, outside, inside, insideForbidden: false, ocmVersion, imageRegistry };
  return { ...known, token: async () => token, anotherToken: async () => token };
}

/**
 * An agent copies neither setting from its bootstrap kubeconfig (ocm pkg/registration/register/certificate.go): it would register
 * and then fail with x509 errors.
 */
function refuseUnverified(kube: Kube, { cluster }: SelectedContext, certificateAuthority: string | undefined): void {
  const setting = cluster['insecure-skip-tls-verify']
    ? 'insecure-skip-tls-verify'
    : cluster['tls-server-name']
      ? 'tls-server-name'
      : undefined;
  if (setting === undefined || certificateAuthority !== undefined) return;
  throw new StellarError(
    'tls-settings-unusable',
    `Context ${describeCluster(kube.cluster)} uses ${setting}, which agents do not take over.`,
    { next: [inWords('Give the certificate authority that agents are to trust: --ca-file FILE')] },
  );
}
