import { join } from 'node:path';
import { buildOcm101 } from '../ocm-1.0/build.ts';
import { kubernetesVersion } from '../plane/build.ts';
import { requiredFolder, requiredVersion } from '../plane/go-module.ts';
import { buildGoModule, type Log } from '../plane/go-program.ts';
import { buildPrograms, overlay } from '../programs/build.ts';

const own = join(import.meta.dirname, 'programs');
const moduleOf = (name: OwnProgram) => join(own, name);

/** The programs that the bed of containers builds, each of a module of its own. */
const modules = {
  /** Kubernetes, its kubelet included, and etcd: with the packages and the overlay of the bed's programs, which Go's cache has. */
  hyper: { module: 'k8s.io/kubernetes', package: '.' },
  kind: { module: 'sigs.k8s.io/kind', package: 'sigs.k8s.io/kind' },
  crictl: { module: 'sigs.k8s.io/cri-tools', package: 'sigs.k8s.io/cri-tools/cmd/crictl' },
  coredns: { module: 'github.com/coredns/coredns', package: '.' },
  kine: { module: 'github.com/k3s-io/kine', package: 'github.com/k3s-io/kine' },
} as const;

type OwnProgram = keyof typeof modules;

const versionOf = (name: OwnProgram) => requiredVersion(moduleOf(name), modules[name].module);

/** Where a program's source is from, as `module@version`. */
export const sourceOf = (name: OwnProgram): string => `${modules[name].module}@${versionOf(name)}`;

/** The version of Kubernetes of the nodes (`v1.32.13`). */
export const kubernetesRelease = versionOf('hyper');

/** Where the programs are. */
export interface Programs {
  /** The folder of what testbed/programs builds: OCM, KubeFlex, KubeStellar, helm. */
  bed: string;
  /** The folder of OCM 1.0.1. */
  ocm101: string;
  paths: Record<OwnProgram, string>;
  /** The files of a kind node, out of kind's module. */
  nodeFiles: string;
}

/** Builds all programs, once per machine for each content of their modules, one after the other. */
export async function buildEnginePrograms(log: Log): Promise<Programs> {
  const bed = await buildPrograms(log);
  const ocm101 = await buildOcm101(log);
  const paths: Partial<Programs['paths']> = {};
  for (const name of Object.keys(modules) as OwnProgram[]) paths[name] = await build(name, log);
  const kind = await requiredFolder(moduleOf('kind'), modules.kind.module);
  const nodeFiles = join(kind, 'images', 'base', 'files');
  return { bed, ocm101, paths: paths as Programs['paths'], nodeFiles };
}

async function build(name: OwnProgram, log: Log): Promise<string> {
  const module = moduleOf(name);
  const isKubernetes = name === 'hyper';
  const settings = isKubernetes ? kubernetesVersion(module) : {};
  const folder = await buildGoModule(
    {
      module,
      binaries: [{ name, package: modules[name].package, settings }],
      overlays: isKubernetes ? [overlay] : [],
      title: sourceOf(name),
      duration: '1 to 3 minutes',
    },
    log,
  );
  return join(folder, name);
}
