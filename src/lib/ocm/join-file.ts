import { asCalled } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { jsonObject } from '../core/is-object.ts';
import { readNamed, readNamedOrStdin } from '../core/named-file.ts';
import { partial } from '../core/next-step.ts';
import type { Endpoint } from './endpoint.ts';

/**
 * What the administrator of an ITS gives to the administrator of a WEC, who has no access to the ITS. It holds a token: store it
 * like a password. The format is an interface, documented in docs/output.md.
 */
export interface JoinFile {
  kind: 'stellarctl-join-file';
  version: 1;
  /** The ITS's name for display: its context where the file was created. */
  its: string;
  token: string;
  /** RFC 3339 */
  expires: string;
  /** The connection to the ITS from other networks. */
  external: Endpoint;
  /** The connection that the ITS publishes for other clusters (kube-public/cluster-info). */
  internal?: Endpoint | undefined;
  /** OCM's version on the ITS, as `1.3.1`. */
  ocmVersion?: string | undefined;
  /** The registry of the ITS's images. */
  imageRegistry?: string | undefined;
}

/** @throws StellarError `join-file-invalid` or `token-expired`; the message never quotes the file, which holds a token */
export function parseJoinFile(text: string, now = new Date()): JoinFile {
  const file = jsonObject(text) as Partial<JoinFile> | undefined;
  if (file === undefined) throw invalid('it is not a JSON object');
  if (file.kind !== 'stellarctl-join-file')
    throw invalid(`it was not written by \`${asCalled('stellarctl its token')}\``);
  if (file.version !== 1) throw invalid(`its version is ${String(file.version)}, and this stellarctl reads version 1`);
  if (typeof file.token !== 'string' || file.token === '') throw invalid('it has no token');
  if (typeof file.its !== 'string') throw invalid('it does not name its ITS');
  const expires = new Date(file.expires ?? '');
  if (Number.isNaN(expires.getTime())) throw invalid('it does not say when its token expires');
  const { external, internal } = file;
  if (!isEndpoint(external)) throw invalid('it has no address of the ITS');
  if (internal !== undefined && !isEndpoint(internal)) throw invalid('its internal address is not an address');
  if (!isText(file.ocmVersion) || !isText(file.imageRegistry))
    throw invalid('its version or its image registry is not text');
  if (expires <= now) {
    const message = `The token in the join file of ${file.its} expired at ${expires.toISOString()}.`;
    const next = [partial('stellarctl its token --file FILE', 'Ask the administrator of the ITS for a new one')];
    throw new StellarError('token-expired', message, { next });
  }
  return file as JoinFile;
}

function isEndpoint(value: unknown): value is Endpoint {
  const { server, certificateAuthority } = (value ?? {}) as Partial<Endpoint>;
  const isHttps = typeof server === 'string' && URL.canParse(server) && server.startsWith('https:');
  return isHttps && isText(certificateAuthority);
}

const isText = (value: unknown): boolean => value === undefined || typeof value === 'string';

function invalid(why: string): StellarError {
  return new StellarError('join-file-invalid', `The join file cannot be used: ${why}.`, {
    next: [partial('stellarctl its token --file FILE', 'Write one on the side of the ITS')],
  });
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
