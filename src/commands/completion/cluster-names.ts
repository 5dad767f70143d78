import type { Kube } from '../../lib/kube/client/client.ts';
import type { DiscoveredKind } from '../../lib/kube/discovery.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { groupOf, type Resource, resources } from '../../lib/kube/resources.ts';
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

/** Labels of the WECs, in the form of selectors. */
export const labelsOfWecs: Source = async (_typed, clusters) =>
  (await managedClusters(clusters)).flatMap(({ metadata }) =>
    Object.entries(metadata.labels ?? {}).map(([key, value]) => `${key}=${value}`),
  );

/** The ITSes or the WDSes of the hosting cluster. */
export const spaces =
  (role: SpaceRole): Source =>
  async (_typed, clusters) => {
    const { listControlPlanes } = await import('../../lib/spaces/spaces.ts');
    const { hosting } = await clusters.spaceTools();
    return namesOf(await listControlPlanes(hosting, role));
  };

/** Objects of one kind in the WDS. */
export const inWds =
  (resource: Resource): Source =>
  async (_typed, clusters) => {
    const { kube } = await clusters.wds();
    return namesOf(await kube.list(resource, { metadataOnly: true }));
  };

/** The kinds that the WDS can send, with their groups if two have the same name. */
export const kinds: Source = async (_typed, clusters) => {
  const found = (await openWds(clusters)).kinds;
  const isUnique = ({ plural }: DiscoveredKind) => found.filter((kind) => kind.plural === plural).length === 1;
  return found.map((kind) => (isUnique(kind) ? kind.plural : `${kind.plural}.${groupOf(kind.apiVersion)}`));
};

/** KIND/NAME: the objects that policies send, or, after a typed kind, all its objects. */
export const workloads: Source = async (typed, clusters) => {
  const [kindName = '', name] = typed.word.split('/');
  const namespace = typed.options.get('--namespace')?.at(-1) || 'default';
  if (name === undefined) return sentObjects((await clusters.wds()).kube, namespace);
  const { findKind } = await import('../../lib/workloads/wds/find-kind.ts');
  const wds = await openWds(clusters);
  const kind = findKind(kindName, wds.kinds);
  if (kind === undefined) return [];
  const found = await wds.kube.list(kind, { metadataOnly: true, ...(kind.namespaced ? { namespace } : {}) });
  return namesOf(found).map((each) => `${kindName}/${each}`);
};

async function sentObjects(wds: Kube, namespace: string): Promise<string[]> {
  const { objectsOf } = await import('../../lib/model/policies.ts');
  const sent = ((await wds.list(resources.bindings)) ?? []).flatMap(objectsOf);
  return sent
    .filter((object) => (object.namespace || namespace) === namespace)
    .map(({ resource, group = '', name }) => `${resource}${group.includes('.') ? `.${group}` : ''}/${name}`);
}

/** WECs, and the labels that WECs have, to set them on others. */
export const wecsAndLabels: Source = async (typed, clusters) => [
  ...(await several(wecs)(typed, clusters)),
  ...(await labelsOfWecs(typed, clusters)),
];

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

async function openWds(clusters: QuietClusters): Promise<{ kube: Kube; kinds: DiscoveredKind[] }> {
  const { discoverKinds } = await import('../../lib/kube/discovery.ts');
  const { sendableKinds } = await import('../../lib/workloads/wds/contents.ts');
  const { kube, apiGroups } = await clusters.wds();
  return { kube, kinds: sendableKinds(await discoverKinds(kube), apiGroups) };
}
