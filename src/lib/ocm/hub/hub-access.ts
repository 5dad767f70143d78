import { StellarError } from '../../core/errors.ts';
import { readNamed, readNamedOrStdin } from '../../core/named-file.ts';
import { advice, asCalled, command, partial, run } from '../../core/next-step.ts';
import { isServerAddress, isToken } from '../../core/object-names.ts';
import { jsonObject } from '../../core/text/formats.ts';
import { partialReader } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { certificateAuthorityOf } from '../../kube/client/credentials.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import { parseImage, versionOf } from '../../kube/image.ts';
import { requestToken } from '../../kube/service-accounts.ts';
import { bootstrapServiceAccount, operatorNamespace } from '../model/ocm-names.ts';
import { type Endpoint, withPresentAuthority } from './endpoint.ts';
import { readClusterInfo } from './hub-kubeconfig.ts';
import type { Its } from './its.ts';
import { hubImage, requireHub } from './require-hub.ts';

/** What an ITS reports about itself, and how it is reached. */
interface HubReading {
  /** The connection from this machine, and from other networks. */
  external: Endpoint;
  /** What the hub publishes in kube-public/cluster-info; undefined if this user sees nothing there. */
  internal?: Endpoint | undefined;
  /** OCM's version, as `1.3.1`; undefined if the hub does not show it (images by digest, no right to read them). */
  ocmVersion?: string | undefined;
  /** The registry of the hub's own images, as `quay.io/open-cluster-management`. */
  imageRegistry?: string | undefined;
}

/** What a join needs of an ITS, with access to the ITS or only a join file from its administrator. */
export interface HubAccess extends HubReading {
  /** Its name for display: the context, here or where the join file was written. */
  its: string;
  /** Undefined on the WEC's side alone. */
  kube: Kube | undefined;
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
export async function accessHub(its: Its, certificateAuthority?: string): Promise<HubAccess> {
  refuseUnverified(its, certificateAuthority);
  const { kube, context } = its;
  const hub = await inspectHub(its);
  return {
    ...hub,
    internal: await withPresentAuthority(context.name, hub.internal, hub.external),
    its: context.name,
    kube,
    token: async (account) => (await requestBootstrapToken(kube, undefined, account)).token,
  };
}

/** The known addresses of an ITS: from this machine, and from other clusters. @throws StellarError `not-a-hub` */
export const hubEndpoints = async (its: Its): Promise<Endpoint[]> =>
  knownEndpoints(await inspectHub(its));

/** What the ITS publishes proves nothing: another hub's address may stand there. */
export const knownEndpoints = ({
  external,
  internal,
}: Pick<HubAccess, 'external' | 'internal'>): Endpoint[] =>
  internal === undefined ? [external] : [external, { ...internal, published: true }];

/** Access with a join file, which contains everything; the ITS itself is not accessible. */
export const accessByJoinFile = ({ token, ...hub }: JoinFile): HubAccess => ({
  ...hub,
  kube: undefined,
  token: async () => token,
});

/**
 * An agent copies neither setting from its bootstrap kubeconfig (ocm pkg/registration/register/certificate.go): it would register
 * and then fail with x509 errors.
 */
function refuseUnverified(
  { kube, context: { cluster } }: Its,
  certificateAuthority: string | undefined,
) {
  const setting = (['insecure-skip-tls-verify', 'tls-server-name'] as const).find(
    (each) => cluster[each],
  );
  if (setting === undefined || certificateAuthority !== undefined) return;
  throw new StellarError(
    'tls-settings-unusable',
    `Context ${describeCluster(kube.cluster)} uses ${setting}, which agents do not use.`,
    advice('Give the certificate authority that agents are to trust: --ca-file FILE'),
  );
}

/**
 * Verifies that a cluster is an OCM hub, and reads what it reports about itself.
 * @throws StellarError `not-a-hub`
 */
export async function inspectHub({ kube, context: { cluster } }: Its): Promise<HubReading> {
  // Optional facts: a failure to read them is not an error.
  const reader = partialReader(kube);
  const [, registration, internal] = await Promise.all([
    requireHub(kube),
    hubImage(reader),
    readClusterInfo(reader),
  ]);
  const image = parseImage(registration ?? '');
  return {
    // After the requests: the client says what is wrong with a file that the context names.
    external: {
      server: kube.cluster.server,
      certificateAuthority: certificateAuthorityOf(cluster),
    },
    internal,
    ocmVersion: image?.tag === undefined ? undefined : versionOf(image.tag),
    imageRegistry: image?.registry,
  };
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
): Promise<{ token: string; expires: Date }> {
  const answer = await requestToken(kube, { namespace: operatorNamespace, name }, seconds);
  if (answer !== undefined) {
    const { token = '(token)', expirationTimestamp = Date.now() + seconds * 1000 } = answer;
    return { token, expires: new Date(expirationTimestamp) };
  }
  throw new StellarError(
    'not-found',
    `${describeCluster(kube.cluster)} has no bootstrap service account ${name} in namespace ${operatorNamespace}.`,
    run(
      command`kubectl --context ${kube.cluster.context} -n ${operatorNamespace} get serviceaccounts,pods`,
      'Is OCM still being installed?',
    ),
  );
}

/**
 * What the administrator of an ITS gives to the administrator of a WEC, who has no access to the ITS. It holds a token: store it
 * like a password. The format is an interface, documented in docs/output.md.
 */
export interface JoinFile extends HubReading {
  kind: 'stellarctl-join-file';
  version: 1;
  /** The ITS's name for display: its context where the file was created. */
  its: string;
  token: string;
  /** RFC 3339 */
  expires: string;
}

/** @throws StellarError `join-file-invalid` or `token-expired`; the message never quotes the file, which holds a token */
export function parseJoinFile(text: string, now = new Date()): JoinFile {
  const file = jsonObject(text) as Partial<JoinFile> | undefined;
  if (file === undefined) throw invalid('it is not a JSON object');
  if (file.kind !== 'stellarctl-join-file')
    throw invalid(`it was not written by \`${asCalled('stellarctl its token')}\``);
  if (file.version !== 1)
    throw invalid(`its version is ${String(file.version)}, and this stellarctl reads version 1`);
  const { external, internal } = file;
  const expires = new Date(file.expires ?? '');
  const isComplete =
    isToken(file.token) &&
    typeof file.its === 'string' &&
    !Number.isNaN(expires.getTime()) &&
    isEndpoint(external) &&
    (internal === undefined || isEndpoint(internal)) &&
    isTextIfGiven(file.ocmVersion) &&
    isTextIfGiven(file.imageRegistry);
  if (!isComplete)
    throw invalid(
      'its token, its expiry, or the name or the address of its ITS is missing or not valid',
    );
  if (expires <= now) {
    throw new StellarError(
      'token-expired',
      `The token in the join file of ${file.its} expired at ${expires.toISOString()}.`,
      partial('stellarctl its token --file FILE', 'Ask the administrator of the ITS for a new one'),
    );
  }
  return file as JoinFile;
}

function isEndpoint(value: unknown): value is Endpoint {
  const { server, certificateAuthority } = (value ?? {}) as Partial<Endpoint>;
  return isServerAddress(server) && isTextIfGiven(certificateAuthority);
}

const isTextIfGiven = (value: unknown) => value === undefined || typeof value === 'string';

function invalid(why: string) {
  return new StellarError(
    'join-file-invalid',
    `The join file cannot be used: ${why}.`,
    partial('stellarctl its token --file FILE', 'Write one on the side of the ITS'),
  );
}

/** Reads a join file, or stdin for `-`. @throws StellarError `usage`, `join-file-invalid` or `token-expired` */
export async function readJoinFile(file: string, stdin: NodeJS.ReadableStream): Promise<JoinFile> {
  return parseJoinFile(await readNamedOrStdin(file, 'join file', stdin));
}

/** Reads a PEM file of certificate authorities. @throws StellarError `usage` */
export async function readCertificateAuthority(file: string): Promise<string> {
  const content = await readNamed(file, 'certificate authority');
  if (!content.includes('-----BEGIN CERTIFICATE-----'))
    throw new StellarError('usage', `${file} has no PEM certificate in it.`);
  return content;
}

/** Reads a docker config.json with the credentials of registries. @throws StellarError `usage`, which never quotes it */
export async function readDockerConfig(file: string): Promise<string> {
  const content = await readNamed(file, 'image pull secret');
  if (typeof jsonObject(content)?.auths === 'object') return content;
  throw new StellarError('usage', `${file} is not a docker config.json: it has no "auths".`);
}
