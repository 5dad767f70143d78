import { StellarError } from '../../engine/errors.ts';
import { readNamed, readNamedOrStdin } from '../../files/named-file.ts';
import { type JoinFile, parseJoinFile } from './join-file.ts';

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
  try {
    if (typeof (JSON.parse(content) as { auths?: unknown }).auths === 'object') return content;
  } catch {
    // Said below.
  }
  throw new StellarError('usage', `${file} is not a docker config.json: it has no "auths".`);
}
