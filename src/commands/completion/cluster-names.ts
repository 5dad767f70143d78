import { isChange } from '../../lib/engine/changes.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { DiscoveredKind } from '../../lib/kube/discovery.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { groupOf, type Resource, resources } from '../../lib/kube/resources.ts';
import type { SpaceRole } from '../../lib/model/kubeflex-names.ts';
import type { ValueStore } from '../../lib/wecs/values.ts';
import { splitNames } from '../common/wec-argument.ts';
import type { OptionTargets } from './option-targets.ts';
import type { Typed } from './typed.ts';

/** Returns names for the cursor position, in the form to type there, whether they match the typed prefix or not. */
export type Source = (typed: Typed, targets: OptionTargets) => Promise<readonly string[]>;

/** Contexts of the kubeconfig. Reads no cluster. */
export const contexts: Source = async (_typed, targets) => [...(await targets.kubeconfig()).contexts.keys()];

/** Contexts of WECs, which may be in another file. */
export const contextsOfWecs: Source = async (_typed, targets) => [...(await targets.wecKubeconfig()).contexts.keys()];

/** The WECs of the ITS. */
export const wecs: Source = async (_typed, targets) => namesOf(await managedClusters(targets));

/** WECs with a pending request. */
export const pending: Source = async (_typed, targets) => {
  const { findPending } = await import('../../lib/wecs/accept.ts');
  return findPending(await hub(targets));
};

/** Labels of the WECs, in the form of selectors. */
export const labelsOfWecs: Source = async (_typed, targets) =>
  (await managedClusters(targets)).flatMap(({ metadata }) =>
    Object.entries(metadata.labels ?? {}).map(([key, value]) => `${key}=${value}`),
  );

/** The ITSes or the WDSes of the hosting cluster. */
export const spaces =
  (role: SpaceRole): Source =>
  async (_typed, targets) => {
    const { listControlPlanes } = await import('../../lib/spaces/spaces.ts');
    const { hosting } = await (await targets.clusters()).spaceTools();
    return namesOf(await listControlPlanes(hosting, role));
  };

/** Objects of one kind in the WDS. */
export const inWds =
  (resource: Resource): Source =>
  async (_typed, targets) => {
    const { kube } = await (await targets.clusters()).wds();
    return namesOf(await kube.list(resource, { metadataOnly: true }));
  };

/** The kinds that the WDS can send, with their groups if two have the same name. */
export const kinds: Source = async (_typed, targets) => {
  const found = (await openWds(targets)).kinds;
  const isUnique = ({ plural }: DiscoveredKind) => found.filter((kind) => kind.plural === plural).length === 1;
  return found.map((kind) => (isUnique(kind) ? kind.plural : `${kind.plural}.${groupOf(kind.apiVersion)}`));
};

/** KIND/NAME: the objects that policies send, or, after a typed kind, all its objects. */
export const workloads: Source = async (typed, targets) => {
  const [kindName = '', name] = typed.word.split('/');
  const namespace = targets.given('--namespace') ?? 'default';
  if (name === undefined) return sentObjects((await (await targets.clusters()).wds()).kube, namespace);
  const { findKind } = await import('../../lib/workloads/wds/find-kind.ts');
  const wds = await openWds(targets);
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

/** WECs, and after a named WEC the changes of its values: `key=` with the values that WECs have, and `key-`. */
export const wecsAndChanges =
  (what: 'labels' | 'properties'): Source =>
  async (typed, targets) => {
    const names = splitNames(typed.positional.filter((word) => !isChange(word)));
    const isAll = typed.options.has('--all') || typed.options.has('--selector');
    const begun = typed.positional.some(isChange);
    const others = begun || isAll ? [] : await several(wecs)(typed, targets);
    if (names.length === 0 && !isAll) return others;
    const all = await valuesOn(await hub(targets), what);
    const own = all.filter(({ name }) => isAll || names.includes(name)).flatMap(({ values }) => Object.keys(values));
    const [key, value] = typed.word.split('=');
    if (value !== undefined)
      return all.flatMap(({ values }) => (values[key ?? ''] ? `${key}=${values[key ?? '']}` : []));
    const known = all.flatMap(({ values }) => Object.keys(values));
    return [...others, ...known.map((each) => `${each}=`), ...own.map((each) => `${each}-`)];
  };

async function valuesOn(its: Kube, what: 'labels' | 'properties') {
  const { labelStore } = await import('../../lib/wecs/label.ts');
  const { propertyStore } = await import('../../lib/wecs/properties.ts');
  return what === 'labels' ? readValues(labelStore(its)) : readValues(propertyStore(its));
}

async function readValues<Source, More extends object>(store: ValueStore<Source, More>) {
  const found = await store.find({});
  return found.flatMap(({ name, source }) => (source === undefined ? [] : [{ name, values: store.valuesOf(source) }]));
}

/** Completes a comma-separated list without duplicates. */
export const listed =
  (source: Source): Source =>
  async (typed, targets) => {
    const before = typed.word.slice(0, typed.word.lastIndexOf(',') + 1);
    const given = before.split(',');
    return (await source(typed, targets)).filter((name) => !given.includes(name)).map((name) => before + name);
  };

/** Does the same, also for separate words. */
export const several = (source: Source): Source =>
  listed(async (typed, targets) => {
    const given = splitNames(typed.positional).map((text) => text.split('=')[0]);
    return (await source(typed, targets)).filter((name) => !given.includes(name));
  });

/** Completes NAME=CONTEXT. */
export const withContexts =
  (names: Source): Source =>
  async (typed, targets) => {
    const equals = typed.word.indexOf('=');
    if (equals === -1) return several(names)(typed, targets);
    const name = typed.word.slice(0, equals);
    return (await contextsOfWecs(typed, targets)).map((context) => `${name}=${context}`);
  };

const namesOf = (objects: readonly KubeObject[] | undefined): string[] =>
  (objects ?? []).map(({ metadata }) => metadata.name);

const hub = async (targets: OptionTargets): Promise<Kube> => {
  const clusters = await targets.clusters();
  return (await clusters.openIts(await clusters.itsChoice())).kube;
};

const managedClusters = async (targets: OptionTargets): Promise<KubeObject[]> =>
  (await (await hub(targets)).list(resources.managedClusters, { metadataOnly: true })) ?? [];

async function openWds(targets: OptionTargets): Promise<{ kube: Kube; kinds: DiscoveredKind[] }> {
  const { discoverKinds } = await import('../../lib/kube/discovery.ts');
  const { sendableKinds } = await import('../../lib/workloads/wds/contents.ts');
  const { kube, apiGroups } = await (await targets.clusters()).wds();
  return { kube, kinds: sendableKinds(await discoverKinds(kube), apiGroups) };
}
