import { StellarError } from '../../engine/errors.ts';
import { inWords } from '../../engine/next-step.ts';
import type { Kube } from '../../kube/client/client.ts';
import { certificateAuthorityOf } from '../../kube/client/credentials.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import type { SelectedContext } from '../../kube/kubeconfig/kubeconfig.ts';
import type { JoinFile } from '../join/join-file.ts';
import type { Endpoint } from './endpoint.ts';
import { inspectHub } from './hub.ts';
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
  const [hub, ownAuthority] = await Promise.all([inspectHub(kube), certificateAuthorityOf(context.cluster)]);
  let token: Promise<string> | undefined;
  return {
    its: context.name,
    kube,
    outside: { server: kube.cluster.server, certificateAuthority: ownAuthority },
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
  const [hub, certificateAuthority] = await Promise.all([inspectHub(kube), certificateAuthorityOf(context.cluster)]);
  const outside = { server: kube.cluster.server, certificateAuthority };
  return hub.clusterInfo === undefined ? [outside] : [outside, hub.clusterInfo];
}

/** Access by a join file: everything is in it, and the ITS itself is out of reach. */
export function accessByJoinFile(file: JoinFile): HubAccess {
  return {
    its: file.its,
    kube: undefined,
    outside: file.outside,
    inside: file.inside,
    insideForbidden: false,
    ocmVersion: file.ocmVersion,
    imageRegistry: file.imageRegistry,
    token: async () => file.token,
    anotherToken: async () => file.token,
  };
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
