import { join } from 'node:path';
import { buildGoProgram, type Log } from './go-program.ts';

export type { Log };

/** The path of the control planes' binary: etcd, kube-apiserver and kube-controller-manager in one. */
export function buildControlPlane(log: Log): Promise<string> {
  return buildGoProgram(
    {
      name: 'control-plane',
      module: join(import.meta.dirname, '..', 'control-plane'),
      package: '.',
      versionOf: 'k8s.io/kubernetes',
      // Without these the servers report version v0.0.0-master.
      settings: (version) => {
        const [major = '', minor = ''] = version.slice(1).split('.');
        const path = 'k8s.io/component-base/version';
        return { [`${path}.gitVersion`]: version, [`${path}.gitMajor`]: major, [`${path}.gitMinor`]: minor };
      },
      title: 'etcd, kube-apiserver and kube-controller-manager',
      duration:
        '3 to 5 minutes the first time (fetches about 700 MB of Go modules and leaves 2 to 3 GB in the caches of Go)',
    },
    log,
  );
}
