import { join } from 'node:path';
import which from 'which';
import { registryFiles, registryNames, trustedAuthorities } from './authority.ts';
import { startChartServer, stopChartServer } from './chart-server.ts';
import { pushCharts } from './charts.ts';
import { isOwnDocker, startDocker, stopDocker } from './docker.ts';
import { buildImage, rootImage } from './image-build.ts';
import { type Bases, images } from './images.ts';
import { prepareMachine, putMachineBack, takeMachine } from './machine.ts';
import { buildNodeImage } from './node-image.ts';
import { buildEnginePrograms, type Programs } from './programs.ts';
import { push, type Registry, startRegistry, stopRegistry } from './registry.ts';

/** Measures a part of the preparation. */
type Stage = <T>(name: string, work: () => Promise<T>) => Promise<T>;

export interface EngineOptions {
  /** Whether packages of Debian or Ubuntu that are missing are installed. */
  installs: boolean;
  /** Whether everything is pulled as users pull it, with the kind, helm and kubectl of PATH. */
  isUpstream: boolean;
  stage: Stage;
  log: (line: string) => void;
}

/** A machine with Docker, and from where an installation pulls. */
export interface Engine {
  /** The paths of the user's programs. */
  programs: Record<'kind' | 'helm' | 'kubectl', string>;
  /** What takes the place of the public registries. */
  local?: LocalImages;
}

/** The image of kind's nodes, and a registry with everything that an installation pulls. */
interface LocalImages {
  /** The image for `kind create cluster --image`. */
  nodeImage: string;
  /** The chart of the ingress, which no registry of this machine's has with the contents that `init` knows. */
  ingressChart: string;
  /** The names of registries, and where a client of this machine finds all of them. */
  registry: { names: readonly string[]; address: string };
  /** A file of authorities, for SSL_CERT_FILE. */
  trusted: string;
}

/** Builds what is not built yet, and starts what does not run. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { installs, isUpstream, stage, log } = options;
  await stage('machine', async () => {
    await prepareMachine({ installs, builds: !isUpstream });
    await takeMachine();
    await startDocker(log);
  });
  if (isUpstream)
    return {
      programs: {
        kind: which.sync('kind'),
        helm: which.sync('helm'),
        kubectl: which.sync('kubectl'),
      },
    };
  const programs = await stage('programs', () => buildEnginePrograms(log));
  return {
    programs: {
      kind: programs.paths.kind,
      helm: join(programs.bed, 'helm'),
      // One binary goes by the name of the link that it is started by.
      kubectl: join(programs.bed, 'ocm'),
    },
    local: await buildImages(programs, options),
  };
}

async function buildImages(
  programs: Programs,
  { stage, log }: EngineOptions,
): Promise<LocalImages> {
  const roots = await stage('root file systems', async () => ({
    base: await rootImage('base', log),
    servers: await rootImage('servers', log),
    node: await rootImage('node', log),
  }));
  const { authority } = await registryFiles();
  const trusting = async (name: string, on: string) =>
    buildImage(name, {
      on,
      files: { '/usr/local/share/ca-certificates/registry.crt': authority },
      // Scripts of charts are written for shells that know more than Debian's own, dash.
      lines: ['RUN update-ca-certificates && ln -sf bash /bin/sh'],
    });
  const base = await trusting('base', roots.base);
  const servers = await trusting('servers', roots.servers);
  const { nodeImage, nodeBase } = await stage('node image', () =>
    buildNodeImage(programs, { base, node: roots.node }),
  );
  const registry = await stage('registry', () => startRegistry(servers));
  await stage('images', () => pushImages(registry, { base, servers, nodeBase, programs }, log));
  const ingressChart = await stage('charts', async () => {
    await startChartServer(base);
    return pushCharts(registry, `${programs.bed}/helm`);
  });
  return {
    ...{ nodeImage, ingressChart },
    registry: { names: registryNames, address: registry.address },
    trusted: await trustedAuthorities(),
  };
}

async function pushImages(
  registry: Registry,
  bases: Bases,
  log: (line: string) => void,
): Promise<void> {
  for (const { names, recipe } of images) {
    const [, name = ''] = /([^/:]+)(?::[^/]*)?$/.exec(names[0]) ?? [];
    const tag = await buildImage(name, await recipe(bases));
    for (const each of names) await push(registry, tag, each);
    log(names.join(' '));
  }
}

/** Stops what `startEngine` has started, and puts the machine back. Clusters must be gone. @returns what differs from before */
export async function stopEngine(log: (line: string) => void): Promise<string[]> {
  const isOwn = await isOwnDocker();
  await stopChartServer();
  await stopRegistry();
  if (isOwn) await stopDocker(log);
  return putMachineBack(!isOwn);
}
