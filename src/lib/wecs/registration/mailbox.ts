import { by } from '../../core/text/words.ts';
import type { Reader } from '../../kube/client/client.ts';
import { shownList } from '../../kube/client/missing.ts';
import { byName, conditionOf, resources, type WithConditions } from '../../kube/client/objects.ts';
import { originBindingLabel, originWdsLabel } from '../../ocm/model/kubestellar-names.ts';
import { isLeaving, type ManifestWork } from '../../ocm/model/manifest-works.ts';
import { addonNameLabel, clusterNameLabel } from '../../ocm/model/ocm-names.ts';

/** Reads all mailboxes of an ITS with one list of each kind. @param one the name of the only WEC whose mailbox is read */
export async function readMailboxes(hub: Reader, one?: string) {
  const inMailbox = { namespace: one };
  const mailboxes = one
    ? { fieldSelector: `metadata.name=${one}` }
    : { labelSelector: clusterNameLabel };
  const [namespaces, works, addons] = await Promise.all([
    hub.list<WithConditions>(resources.namespaces, mailboxes),
    hub.list<ManifestWork>(resources.manifestWorks, inMailbox),
    hub.list<WithConditions>(resources.managedClusterAddOns, inMailbox),
  ]);
  const named = byName(shownList(namespaces));
  const worksOf = Map.groupBy(shownList(works), ({ metadata }) => metadata.namespace);
  const addonsOf = Map.groupBy(shownList(addons), ({ metadata }) => metadata.namespace);
  return (name: string) => ({
    /** Undefined if there is none or it may not be read. */
    namespace: named.get(name),
    works: worksOf.get(name) ?? [],
    addons: addonsOf.get(name) ?? [],
  });
}

export type Mailbox = NonNullable<ReturnType<typeof mailboxView>>;

/** The mailbox for display. @returns null if there is none */
export function mailboxView(name: string, { namespace, works, addons }: MailboxContents) {
  // A user who may not read the namespace may still see its contents.
  if (namespace === undefined && works.length === 0 && addons.length === 0) return null;
  return { namespace: name, works: groupWorks(works), addons: addons.map(toAddon) };
}

/** Works by their origin: binding policies first, then add-ons, then all others. */
export function groupWorks(works: readonly ManifestWork[]) {
  const groups = Map.groupBy(works, ({ metadata: { labels = {} } }) => {
    const wds = labels[originWdsLabel] ?? null;
    const binding = labels[originBindingLabel] ?? null;
    const addon = labels[addonNameLabel] ?? null;
    return JSON.stringify([wds === null, addon === null, { wds, binding, addon }]);
  });
  return [...groups.entries()].sort(by(([key]) => key)).map(([key, group]) => {
    const [, , origin] = JSON.parse(key) as [boolean, boolean, Origin];
    return {
      ...origin,
      count: group.length,
      /** Works that the agent could not apply, each with its message, and since when; null if it does not report that. */
      failed: group.flatMap(workFailure),
    };
  });
}

/** The WDS and the binding policy of works of KubeStellar, the add-on of those of an add-on. */
type Origin = Record<'wds' | 'binding' | 'addon', string | null>;

/** A work's own condition only shows that something failed; the condition of the manifest shows what. */
function workFailure(work: ManifestWork) {
  if (conditionOf(work, 'Applied')?.status !== 'False') return [];
  const { metadata, spec, status = {} } = work;
  const manifests = status.resourceStatus?.manifests ?? [];
  const failed = manifests.filter(
    (manifest) => conditionOf({ status: manifest }, 'Applied')?.status === 'False',
  );
  const ofOwner = failed.filter(
    ({ resourceMeta: { ordinal = -1 } = {} }) => !isLeaving(spec?.workload?.manifests?.[ordinal]),
  );
  if (ofOwner.length === 0 && failed.length > 0) return [];
  const { message = '', lastTransitionTime = null } =
    conditionOf({ status: ofOwner[0] ?? status }, 'Applied') ?? {};
  return [{ name: metadata.name, message, since: lastTransitionTime }];
}

function toAddon(addon: WithConditions) {
  const available = conditionOf(addon, 'Available');
  return {
    name: addon.metadata.name,
    available: available?.status === 'True' ? true : available?.status === 'False' ? false : null,
    reason: available?.reason ?? '',
  };
}

/** The namespace that an ITS keeps for a WEC, and its contents. */
export type MailboxContents = ReturnType<Awaited<ReturnType<typeof readMailboxes>>>;
