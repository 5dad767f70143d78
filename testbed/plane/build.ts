import { requiredVersion } from './go-module.ts';
import type { Log } from './go-program.ts';

export type { Log };

/** The linker's settings for programs of Kubernetes, which otherwise report version v0.0.0-master. */
export function kubernetesVersion(module: string): Record<string, string> {
  const version = requiredVersion(module, 'k8s.io/kubernetes');
  const [major = '', minor = ''] = version.slice(1).split('.');
  const path = 'k8s.io/component-base/version';
  return {
    [`${path}.gitVersion`]: version,
    [`${path}.gitMajor`]: major,
    [`${path}.gitMinor`]: minor,
  };
}
