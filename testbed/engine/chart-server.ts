import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chartServerName, registryFiles } from './authority.ts';
import { docker, dockerSucceeds } from './docker.ts';
import { engineFolder } from './folder.ts';
import { network } from './registry.ts';

const container = 'stellarctl-engine-charts';

/** Where the files of the chart server are. */
export const chartFolder = (): string => join(engineFolder(), 'chart-server');

/** Serves the chart repository of vcluster on kind's network. @param image one with nginx */
export async function startChartServer(image: string): Promise<void> {
  const files = await registryFiles();
  const folder = chartFolder();
  await mkdir(folder, { recursive: true });
  const config = join(engineFolder(), 'chart-server.conf');
  await writeFile(config, configuration(files, folder));
  await docker('rm', '--force', container);
  const mounted = [folder, dirname(files.authority), config];
  const mounts = mounted.flatMap((path) => ['--volume', `${path}:${path}:ro`]);
  const place = ['--name', container, '--network', network, '--network-alias', chartServerName];
  const program = ['nginx', '-c', config, '-g', 'daemon off;'];
  await docker('run', '--detach', ...place, ...mounts, image, ...program);
}

export const stopChartServer = (): Promise<boolean> => dockerSucceeds('rm', '--force', container);

const configuration = (
  { certificate, key }: { certificate: string; key: string },
  root: string,
) => `
user root;
error_log stderr;
events {}
http {
  access_log off;
  server {
    listen 443 ssl;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    root ${root};
  }
}
`;
