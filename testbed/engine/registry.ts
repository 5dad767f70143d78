import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { type RegistryFiles, registryFiles, registryNames } from './authority.ts';
import { docker, dockerSucceeds } from './docker.ts';
import { engineFolder } from './folder.ts';

/** The registry that clusters pull from: Debian's docker-registry, in a container on kind's network, under the names of all registries. */
export interface Registry {
  /** For pushing: `localhost:PORT`. */
  host: string;
  /** The address on kind's network. */
  address: string;
}

const container = 'stellarctl-engine-registry';
/** Docker's network of all clusters of kind. */
export const network = 'kind';
const port = 443;

/** @param image one with docker-registry */
export async function startRegistry(image: string): Promise<Registry> {
  const data = join(engineFolder(), 'registry');
  await mkdir(data, { recursive: true });
  const files = await registryFiles();
  const config = join(engineFolder(), 'registry.yml');
  await writeFile(config, stringify(configuration(files)));
  if (!(await dockerSucceeds('network', 'inspect', network)))
    await docker('network', 'create', network);
  await docker('rm', '--force', container);
  const aliases = registryNames.flatMap((name) => ['--network-alias', name]);
  const mounts = [
    '--volume',
    `${data}:${data}`,
    '--volume',
    `${dirname(files.authority)}:${dirname(files.authority)}:ro`,
    '--volume',
    `${config}:${config}:ro`,
  ];
  const published = ['--publish', `127.0.0.1::${port}`];
  const flags = ['--detach', '--name', container, '--network', network];
  await docker(
    'run',
    ...flags,
    ...aliases,
    ...published,
    ...mounts,
    image,
    'docker-registry',
    'serve',
    config,
  );
  const [, host = ''] = /:(\d+)$/m.exec(await docker('port', container, String(port))) ?? [];
  const format = `{{.NetworkSettings.Networks.${network}.IPAddress}}`;
  const address = await docker('inspect', '--format', format, container);
  return { host: `localhost:${host}`, address };
}

const configuration = ({ certificate, key }: RegistryFiles) => ({
  version: '0.1',
  log: { level: 'warn', accesslog: { disabled: true } },
  storage: {
    filesystem: { rootdirectory: join(engineFolder(), 'registry') },
    delete: { enabled: true },
    cache: { blobdescriptor: 'inmemory' },
  },
  http: { addr: `:${port}`, tls: { certificate, key } },
});

/** Removes the container, and kind's network if nothing is on it; what was pushed is kept. */
export async function stopRegistry(): Promise<void> {
  await dockerSucceeds('rm', '--force', container);
  await dockerSucceeds('network', 'rm', network);
}

/** Pushes an image under a name that charts use. */
export async function push({ host }: Registry, tag: string, name: string): Promise<void> {
  const [, path = ''] = /^[^/]+\/(.+)$/.exec(name) ?? [];
  const pushed = `${host}/${path}`;
  await docker('tag', tag, pushed);
  await docker('push', '--quiet', pushed);
  await docker('rmi', pushed);
}
