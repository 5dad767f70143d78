import { join } from 'node:path';
import { kubernetesVersion } from '../plane/build.ts';
import { requiredVersion } from '../plane/go-module.ts';
import { buildGoModule, type GoBinary, type Log } from '../plane/go-program.ts';

/** The folder of the Go module. */
export const programsModule = import.meta.dirname;
/** What gives a process a pod's files and network (overlay/syscall.go.txt). */
export const overlay = join(programsModule, 'overlay');
const versionOf = (path: string) => requiredVersion(programsModule, path);

const ocmModule = 'open-cluster-management.io/ocm';
const kubernetes = kubernetesVersion(programsModule);

/** The programs of OCM, KubeStellar's transport controller and kubectl in one. @param version that OCM says of itself */
export const ocm = (version: string): GoBinary => ({
  name: 'ocm',
  package: './ocm',
  settings: { ...kubernetes, [`${ocmModule}/pkg/version.versionFromGit`]: version },
});

/** The names of the programs of OCM. */
export const ocmPrograms = ['addon', 'placement', 'registration', 'registration-operator', 'work'];

/** OCM's chart of a hub, as a folder that belongs to programs. */
export const chartOfHub = {
  'cluster-manager': { module: ocmModule, path: 'deploy/cluster-manager/chart/cluster-manager' },
};

const binaries: GoBinary[] = [
  { name: 'control-plane', package: './control-plane', settings: kubernetes },
  ocm(versionOf(ocmModule)),
  { name: 'kubeflex-manager', package: 'github.com/kubestellar/kubeflex/cmd/manager' },
  { name: 'cmupdate', package: 'github.com/kubestellar/kubeflex/cmd/cmupdate' },
  {
    name: 'controller-manager',
    package: 'github.com/kubestellar/kubestellar/cmd/controller-manager',
  },
  {
    name: 'kflex-get-kubeconfig',
    package: 'github.com/kubestellar/kubestellar/cmd/kflex-get-kubeconfig',
  },
  {
    name: 'helm',
    package: 'helm.sh/helm/v3/cmd/helm',
    settings: { 'helm.sh/helm/v3/internal/version.version': versionOf('helm.sh/helm/v3') },
  },
];

/**
 * The folder of the real programs: control-plane (etcd, kube-apiserver, kube-controller-manager), ocm (registration-operator,
 * registration, work, placement, addon, ocm-transport-controller, kubectl), one binary for each other, and `cluster-manager`, OCM's chart
 * of a hub. They are compiled with the overlay of Go's own packages that gives a process a pod's files and network.
 */
export function buildPrograms(log: Log): Promise<string> {
  return buildGoModule(
    {
      module: programsModule,
      binaries,
      overlays: [overlay],
      folders: chartOfHub,
      title: 'Kubernetes, OCM, KubeFlex, KubeStellar and helm',
      duration:
        '8 to 12 minutes the first time (fetches about 1 GB of Go modules and leaves 4 to 5 GB in the caches of Go)',
    },
    log,
  );
}

/** A folder for PATH that has the real `helm`. */
export const buildHelm = (log: Log = () => {}): Promise<string> => buildPrograms(log);
