import { command } from '../core/command-line.ts';
import { count } from '../core/counts.ts';
import { begun } from '../core/duration.ts';
import { run } from '../core/next-step.ts';
import type { Problem } from '../core/problem.ts';
import type { Reader } from '../kube/client/client.ts';
import { unlessStatus } from '../kube/client/errors.ts';
import { conditionOf, type WithConditions } from '../kube/client/objects.ts';
import { groupResourceOf, resources } from '../kube/client/resources.ts';
import { originBindingLabel, originWdsLabel } from '../ocm/kubestellar-names.ts';
import { isLeaving, type ManifestWork } from '../ocm/manifest-works.ts';
import { addonNameLabel, addonNamespace, clusterNameLabel, statusAddon } from '../ocm/ocm-names.ts';
import { toEndRefusal } from '../ocm/refusals.ts';
import type { MailboxContents, WecFindings } from './findings.ts';
import { toBindOcmRights } from './granted-kinds.ts';
import { wecProblem } from './problems.ts';
import { toSeeCluster } from './registration-checks.ts';
import type { Mailbox, WorkGroup } from './wec-view.ts';

export async function readMailbox(hub: Reader, name: string): Promise<MailboxContents> {
  const [namespace, works = [], addons = []] = await Promise.all([
    hub.get<WithConditions>(resources.namespaces, name),
    hub.list<ManifestWork>(resources.manifestWorks, { namespace: name }),
    hub.list<WithConditions>(resources.managedClusterAddOns, { namespace: name }),
  ]);
  return { namespace, works, addons };
}

/**
 * Reads all mailboxes of an ITS with one list of each kind.
 * @returns the contents of a WEC's mailbox; undefined if this user may only read single ones
 */
export async function readMailboxes(hub: Reader): Promise<((name: string) => MailboxContents) | undefined> {
  const lists = await unlessStatus(
    Promise.all([
      hub.list<WithConditions>(resources.namespaces, { labelSelector: clusterNameLabel }),
      hub.list<ManifestWork>(resources.manifestWorks),
      hub.list<WithConditions>(resources.managedClusterAddOns),
    ]),
    403,
  );
  if (lists === undefined) return undefined;
  const [namespaces = [], works = [], addons = []] = lists;
  const byName = new Map(namespaces.map((namespace) => [namespace.metadata.name, namespace]));
  const worksOf = Map.groupBy(works, ({ metadata }) => metadata.namespace);
  const addonsOf = Map.groupBy(addons, ({ metadata }) => metadata.namespace);
  return (name) => ({
    namespace: byName.get(name),
    works: worksOf.get(name) ?? [],
    addons: addonsOf.get(name) ?? [],
  });
}

/** The mailbox for display. @returns null if there is none */
export function mailboxView(name: string, { namespace, works, addons }: MailboxContents): Mailbox | null {
  // A user who may not read the namespace may still see its contents.
  if (namespace === undefined && works.length === 0 && addons.length === 0) return null;
  return { namespace: name, works: groupWorks(works), addons: addons.map(toAddon) };
}

/** Works by their origin: binding policies first, then add-ons, then all others. */
export function groupWorks(works: readonly ManifestWork[]): WorkGroup[] {
  const groups = new Map<string, WorkGroup>();
  for (const work of works) {
    const labels = work.metadata.labels ?? {};
    const [wds = null, binding = null, addon = null] = [originWdsLabel, originBindingLabel, addonNameLabel].map(
      (label) => labels[label],
    );
    const key = JSON.stringify([wds === null, addon === null, wds, binding, addon]);
    const group = groups.get(key) ?? { wds, binding, addon, count: 0, failed: [] };
    group.count += 1;
    if (conditionOf(work, 'Applied')?.status === 'False') group.failed.push(...failureOf(work));
    groups.set(key, group);
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

/** A work's own condition only shows that something failed; the condition of the manifest shows what. */
function failureOf({ metadata: { name }, spec, status = {} }: ManifestWork): WorkGroup['failed'] {
  const manifests = status.resourceStatus?.manifests ?? [];
  const failed = manifests.filter((manifest) => conditionOf({ status: manifest }, 'Applied')?.status === 'False');
  const own = failed.filter(
    ({ resourceMeta: { ordinal = -1 } = {} }) => !isLeaving(spec?.workload?.manifests?.[ordinal]),
  );
  if (own.length === 0 && failed.length > 0) return [];
  const { message = '', lastTransitionTime = null } = conditionOf({ status: own[0] ?? status }, 'Applied') ?? {};
  return [{ name, message, since: lastTransitionTime }];
}

function toAddon(addon: WithConditions): Mailbox['addons'][number] {
  const available = conditionOf(addon, 'Available');
  return {
    name: addon.metadata.name,
    available: available?.status === 'True' ? true : available?.status === 'False' ? false : null,
    reason: available?.reason ?? '',
  };
}

export function worksRefused({ refused, wec, name, its }: WecFindings): Problem | undefined {
  if (refused === undefined || refused.kinds.length === 0 || wec === undefined) return undefined;
  if (refused.lacksOcmRights)
    return wecProblem(
      'ocm-rights-missing',
      `The work agent of ${name} lacks what OCM itself gives it, the ClusterRole admin, and may not apply what its works contain.`,
      toBindOcmRights(wec.context),
    );
  return wecProblem(
    'work-rights-missing',
    `The work agent of ${name} may not apply ${refused.kinds.map(groupResourceOf).join(', ')}, which its works contain.`,
    run(
      command`stellarctl wec grant ${`${name}=${wec.context}`} --from-errors --its ${its}`,
      'Give it these rights, if it is to have them',
    ),
  );
}

export function worksNotApplied({ mailbox, name, its, now, wec }: WecFindings): Problem | undefined {
  const groups = (mailbox?.works ?? []).filter((group) => group.failed.length > 0);
  const failed = groups.flatMap((group) => group.failed);
  const [[first], { wds, binding } = {}] = [failed, groups[0]];
  if (first === undefined) return undefined;
  const see =
    wds && binding
      ? run(command`stellarctl policy get ${binding} --wds ${wds}`)
      : run(command`kubectl --context ${its} -n ${name} describe manifestwork ${first.name}`);
  const refusal = toEndRefusal(first.message, name, wec?.context, its);
  return wecProblem(
    refusal?.code ?? 'works-not-applied',
    `${count(failed.length, 'work')} could not be applied on ${name}: ${first.message}${begun(first.since, now)}.`,
    ...(refusal?.next ?? [see]),
  );
}

/** OCM's work agent reports a new add-on as not available until its next round, 10 s and more after its pods are ready. */
const addonGraceMs = 60_000;

/** An add-on that reports itself as unavailable, or is missing; without a condition there is no evidence. */
export function unavailableAddon(findings: WecFindings): Problem | undefined {
  const { contents, wec, name, its, lacksAddon, now } = findings;
  const addon = contents?.addons.find((each) => {
    const { status, lastTransitionTime = '' } = conditionOf(each, 'Available') ?? {};
    return status === 'False' && !(now - Date.parse(lastTransitionTime) < addonGraceMs);
  });
  if (addon === undefined && lacksAddon)
    return wecProblem(
      'addon-missing',
      `The add-on ${statusAddon} is not installed on ${name}, so no status comes back from it.`,
      run(
        command`kubectl --context ${its} get clustermanagementaddon ${statusAddon} -o yaml`,
        'See which Placements install it',
      ),
    );
  if (addon === undefined) return undefined;
  const { spec } = addon as WithConditions & { spec?: { installNamespace?: string } };
  const { message, reason } = conditionOf(addon, 'Available') ?? {};
  return wecProblem(
    'addon-unavailable',
    `The add-on ${addon.metadata.name} of ${name} is not available: ${message ?? reason}.`,
    wec === undefined
      ? toSeeCluster(findings)
      : run(
          command`kubectl --context ${wec.context} -n ${spec?.installNamespace ?? addonNamespace} get deployments,pods`,
          'See what of it does not run',
        ),
  );
}

/** A work with which the hub itself creates the Klusterlet of the WEC, and recreates a removed one. */
export function returningKlusterlet({ contents, name, its }: WecFindings): Problem | undefined {
  const work = contents?.works.find(
    ({ metadata, spec }) =>
      metadata.deletionTimestamp === undefined &&
      spec?.workload?.manifests?.some(({ kind }) => kind === 'Klusterlet') === true,
  );
  if (work === undefined) return undefined;
  return wecProblem(
    'klusterlet-in-work',
    `The work ${work.metadata.name} holds a Klusterlet: while it exists, the Klusterlet of ${name} is created again whenever it is deleted.`,
    run(
      command`kubectl --context ${its} -n ${name} get manifestwork ${work.metadata.name} -o yaml`,
      'See who has made it, and delete it before a deregistration',
    ),
  );
}
