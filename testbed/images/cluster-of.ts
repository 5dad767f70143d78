import type { Api } from '../kube/api.ts';
import { readCurrentContext } from '../kube/kubeconfig.ts';
import { Exit, type PodContext } from '../pod-runner/program.ts';

/** The cluster of a command line: that of the file in KUBECONFIG, or else the pod's own. */
export function clusterOf(context: PodContext): Api {
  const path = context.env.KUBECONFIG;
  if (!path) return context.api;
  const text = context.readFile(path);
  if (text === undefined) {
    throw new Exit(
      'Error: invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable',
    );
  }
  return context.connect(readCurrentContext(text, (file) => context.readFile(file)).connection);
}
