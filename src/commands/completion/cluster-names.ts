import type { Kube } from '../../lib/kube/client/client.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { resources } from '../../lib/kube/resources.ts';
import type { SpaceRole } from '../../lib/model/kubeflex-names.ts';
import { splitNames } from '../common/wec-argument.ts';
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

/** WECs with a pending request. */
export const pending: Source = async (_typed, clusters) => {
  const { findPending } = await import('../../lib/wecs/accept.ts');
  return findPending(await hub(clusters));
};

/** The ITSes or the WDSes of the hosting cluster. */
export const spaces =
  (role: SpaceRole): Source =>
  async (_typed, clusters) => {
    const { listControlPlanes } = await import('../../lib/spaces/spaces.ts');
    const { hosting } = await clusters.spaceTools();
    return namesOf(await listControlPlanes(hosting, role));
  };

/** Completes a comma-separated list without duplicates. */
export const commaSeparated =
  (source: Source): Source =>
  async (typed, clusters) => {
    const before = typed.word.slice(0, typed.word.lastIndexOf(',') + 1);
    const given = before.split(',');
    return (await source(typed, clusters)).filter((name) => !given.includes(name)).map((name) => before + name);
  };

/** Does the same, also for separate words. */
export const several = (source: Source): Source =>
  commaSeparated(async (typed, clusters) => {
    const given = splitNames(typed.positional).map((text) => text.split('=')[0]);
    return (await source(typed, clusters)).filter((name) => !given.includes(name));
  });

/** Completes NAME=CONTEXT. */
export const withContexts =
  (names: Source): Source =>
  async (typed, clusters) => {
    const equals = typed.word.indexOf('=');
    if (equals === -1) return several(names)(typed, clusters);
    const name = typed.word.slice(0, equals);
    return (await contextsOfWecs(typed, clusters)).map((context) => `${name}=${context}`);
  };

const namesOf = (objects: readonly KubeObject[] | undefined): string[] =>
  (objects ?? []).map(({ metadata }) => metadata.name);

const hub = async (clusters: QuietClusters): Promise<Kube> => (await clusters.openIts(await clusters.itsChoice())).kube;

const managedClusters = async (clusters: QuietClusters): Promise<KubeObject[]> =>
  (await (await hub(clusters)).list(resources.managedClusters, { metadataOnly: true })) ?? [];
