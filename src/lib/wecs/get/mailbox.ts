import type { Reader } from '../../kube/client/client.ts';
import { conditionOf, type WithConditions } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import type { ManifestWork } from '../../workloads/manifest-works.ts';
import { originBindingLabel, originWdsLabel } from '../../workloads/names.ts';
import { addonNameLabel } from '../names.ts';
import type { Mailbox, WorkGroup } from './view.ts';

/** The namespace that an ITS keeps for a WEC, and what is in it. */
export interface MailboxContents {
  /** Undefined where there is none, or it may not be seen. */
  namespace: WithConditions | undefined;
  works: readonly ManifestWork[];
  addons: readonly WithConditions[];
}

export async function readMailbox(hub: Reader, name: string): Promise<MailboxContents> {
  const [namespace, works = [], addons = []] = await Promise.all([
    hub.get<WithConditions>(resources.namespaces, name),
    hub.list<ManifestWork>(resources.manifestWorks, { namespace: name }),
    hub.list<WithConditions>(resources.managedClusterAddOns, { namespace: name }),
  ]);
  return { namespace, works, addons };
}

/** For people. @returns null where there is none */
export function mailboxView(name: string, { namespace, works, addons }: MailboxContents): Mailbox | null {
  // Whoever may not see the namespace may still see that there is something in it.
  if (namespace === undefined && works.length === 0 && addons.length === 0) return null;
  return { namespace: name, works: groupWorks(works), addons: addons.map(toAddon) };
}

/** Works by their origin: binding policies first, then add-ons, then whatever somebody has put there. */
export function groupWorks(works: readonly WithConditions[]): WorkGroup[] {
  const groups = new Map<string, WorkGroup>();
  for (const work of works) {
    const labels = work.metadata.labels ?? {};
    const [wds = null, binding = null, addon = null] = [originWdsLabel, originBindingLabel, addonNameLabel].map(
      (label) => labels[label],
    );
    const key = JSON.stringify([wds === null, addon === null, wds, binding, addon]);
    const group = groups.get(key) ?? { wds, binding, addon, count: 0, failed: [] };
    group.count += 1;
    const applied = conditionOf(work, 'Applied');
    if (applied?.status === 'False') group.failed.push({ name: work.metadata.name, message: failureOf(work) });
    groups.set(key, group);
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

/** A work's own condition only says that something failed; the condition of the manifest says what. */
function failureOf(work: WithConditions): string {
  const { status } = work as WithConditions & {
    status?: {
      resourceStatus?: { manifests?: { conditions?: { type: string; status: string; message?: string }[] }[] };
    };
  };
  const conditions = (status?.resourceStatus?.manifests ?? []).flatMap((manifest) => manifest.conditions ?? []);
  const failed = conditions.find((condition) => condition.type === 'Applied' && condition.status === 'False');
  return failed?.message ?? conditionOf(work, 'Applied')?.message ?? '';
}

function toAddon(addon: WithConditions): Mailbox['addons'][number] {
  const available = conditionOf(addon, 'Available');
  return {
    name: addon.metadata.name,
    available: available?.status === 'True' ? true : available?.status === 'False' ? false : null,
    reason: available?.reason ?? '',
  };
}
