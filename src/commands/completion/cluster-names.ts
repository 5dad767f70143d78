import type { KubeObject } from '../../lib/kube/client/objects.ts';
import { resources } from '../../lib/kube/client/resources.ts';
import type { SpaceRole } from '../../lib/ocm/kubeflex-names.ts';
import type { QuietClusters } from './quiet-clusters.ts';
import type { Typed } from './typed.ts';

/** Returns names for the cursor position, in the form to type there, whether they match the typed prefix or not. */
export type Source = (typed: Typed, clusters: QuietClusters) => Promise<readonly string[]>;

/** Contexts of the kubeconfig. Reads no cluster. */
export const contexts: Source = async (_typed, clusters) => [...(await clusters.kubeconfig()).contexts.keys()];

/** Contexts of WECs, which may be in another file. */
export const contextsOfWecs: Source = async (_typed, clusters) => [...(await clusters.wecKubeconfig()).contexts.keys()];

/** The WECs of the ITS. */
export const wecs: Source = async (_typed, clusters) => namesOf(await managedClusters(clusters));

/** The ITSes or the WDSes of the hosting cluster. */
export const spaces =
  (role: SpaceRole): Source =>
  async (_typed, clusters) => {
    const { listControlPlanes } = await import('../../lib/spaces/spaces.ts');
    const { hosting } = await clusters.spaceTools();
    return namesOf(await listControlPlanes(hosting, role));
  };

/** Completes the last of several names, without those given before; after `=`, a context if there are any. */
export const several =
  (names: Source, contexts?: Source): Source =>
  async (typed, clusters) => {
    const last = Math.max(...[',', '='].map((mark) => typed.word.lastIndexOf(mark)));
    const before = typed.word.slice(0, last + 1);
    const given = [...typed.positional, before].join().split(/[,=]/);
    const found = before.endsWith('=')
      ? await contexts?.(typed, clusters)
      : (await names(typed, clusters)).filter((name) => !given.includes(name));
    return (found ?? []).map((name) => before + name);
  };

const namesOf = (objects: readonly KubeObject[] | undefined): string[] =>
  (objects ?? []).map(({ metadata }) => metadata.name);

const managedClusters = async (clusters: QuietClusters): Promise<KubeObject[]> => {
  const { kube } = await clusters.openIts(await clusters.itsChoice());
  return (await kube.list(resources.managedClusters, { metadataOnly: true })) ?? [];
};
