import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Authority } from '../plane/pki.ts';
import { engineFolder, hashOf } from './folder.ts';

/** The names by which the one registry is reached: those of the images and charts of KubeStellar's installation, and one for air gaps. */
export const registryNames = [
  ...[
    'ghcr.io',
    'quay.io',
    'registry.k8s.io',
    'docker.io',
    'registry-1.docker.io',
    'registry.example',
  ],
];

/** The repository of vcluster's chart. */
export const chartServerName = 'charts.loft.sh';

/** Files of the registry's authority, which images and clients trust, and of the registry's own certificate. */
export interface RegistryFiles {
  authority: string;
  certificate: string;
  key: string;
}

/** Created once for these names: images that are built later trust the same authority. */
export async function registryFiles(): Promise<RegistryFiles> {
  const hosts = [...registryNames, chartServerName, 'localhost'];
  const folder = join(engineFolder(), `pki-${hashOf(...hosts)}`);
  const [authority = '', certificate = '', key = ''] = ['ca.crt', 'tls.crt', 'tls.key'].map(
    (name) => join(folder, name),
  );
  if (!existsSync(certificate)) {
    await mkdir(folder, { recursive: true });
    const own = await Authority.create('stellarctl test bed');
    const pair = await own.issue({ commonName: 'registry', hosts });
    await writeFile(authority, own.certPem);
    await writeFile(key, pair.keyPem, { mode: 0o600 });
    await writeFile(certificate, pair.certPem);
  }
  return { authority, certificate, key };
}

/** A file of all authorities that this machine trusts, and the registry's, for SSL_CERT_FILE. */
export async function trustedAuthorities(): Promise<string> {
  const { authority } = await registryFiles();
  const file = join(dirname(authority), 'trusted.crt');
  const known = await readFile('/etc/ssl/certs/ca-certificates.crt', 'utf8').catch(() => '');
  await writeFile(file, known + (await readFile(authority, 'utf8')));
  return file;
}
