import { installHub } from '../ocm/hub/install.ts';
import { Exit, type PodContext } from '../pod-runner/program.ts';
import { clusterOf } from './cluster-of.ts';
import { withLastWords } from './last-words.ts';

/** The OCM that a clusteradm installs (clusteradm pkg/version, the bundle called default). */
const bundles: Record<string, string> = { '0.10.1': 'v0.15.2', '1.0.0': 'v1.0.0' };

/** Stands in for `clusteradm init`: makes the cluster of its kubeconfig a hub. Does nothing on an existing hub. */
export async function clusteradm(context: PodContext): Promise<void> {
  const [command = '', ...options] = context.args;
  if (command !== 'init') throw new Exit(`Error: unknown command "${command}" for "clusteradm"`);
  const version = versionOf(context);
  const olderBootstrap = /^0\.(\d|10)\./.test(version);
  await withLastWords(async () => {
    const registry = options.flatMap((option) => /^--image-registry=(.+)$/.exec(option)?.[1] ?? [])[0];
    const bundle = bundles[version] ?? `v${version}`;
    await installHub(clusterOf(context), { version: bundle, olderBootstrap, ...(registry && { registry }) });
  });
  context.log('CRD successfully registered.');
  context.log('Registration operator is now available.');
  context.log('ClusterManager registration is now available.');
  context.log('The multicluster hub control plane has been initialized successfully!');
}

/** The tag of its image. */
function versionOf({ pod }: PodContext): string {
  const images = pod.spec.containers.map(({ image }) => image);
  return images.flatMap((image) => /\/clusteradm:(.+)$/.exec(image)?.[1] ?? []).at(0) ?? '';
}
