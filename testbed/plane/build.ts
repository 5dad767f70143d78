import { join } from 'node:path';
import { buildGoModule, type Log, requiredVersion } from './go-program.ts';

export type { Log };

/** The linker's settings for programs of Kubernetes, which otherwise report version v0.0.0-master. */
export function kubernetesVersion(module: string): Record<string, string> {
  const version = requiredVersion(module, 'k8s.io/kubernetes');
  const [major = '', minor = ''] = version.slice(1).split('.');
  const path = 'k8s.io/component-base/version';
  return { [`${path}.gitVersion`]: version, [`${path}.gitMajor`]: major, [`${path}.gitMinor`]: minor };
}

const module = join(import.meta.dirname, '..', 'control-plane');

/** The path of the control planes' binary: etcd, kube-apiserver and kube-controller-manager in one. */
export async function buildControlPlane(log: Log): Promise<string> {
  const folder = await buildGoModule(
    {
      module,
      binaries: [{ name: 'control-plane', package: '.', settings: kubernetesVersion(module) }],
      title: 'etcd, kube-apiserver and kube-controller-manager',
      duration:
        '3 to 5 minutes the first time (fetches about 700 MB of Go modules and leaves 2 to 3 GB in the caches of Go)',
    },
    log,
  );
  return join(folder, 'control-plane');
}
