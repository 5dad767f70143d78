import { monotonic } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { untilMet } from '../../core/follow.ts';
import { command, partial, run } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { failedForGood, met, waiting } from '../../core/stages.ts';
import { count } from '../../core/text/words.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { ForeseenKube } from '../../kube/client/foreseen.ts';
import { isLiving, namesOf, resources } from '../../kube/client/objects.ts';
import { deleteObjects } from '../../kube/writes.ts';
import { originBindingLabel, originWdsLabel } from '../../ocm/model/kubestellar-names.ts';
import {
  isMadeByHand,
  isOrphan,
  type ManifestStatus,
  type ManifestWork,
  policiesOf,
  toSeeHolders,
  workFinalizer,
} from '../../ocm/model/manifest-works.ts';
import { makeOrphans, type ReleaseOnWec, setOrphan } from '../../ocm/orphan-works.ts';
import {
  type AppliedManifestWork,
  type AppliedResource,
  appliedWorksOf,
  releaseOne,
  releaseOwned,
} from '../../workloads/delivery/applied-works.ts';
import { removeLabels } from '../registration/saved-labels.ts';
import type { Force } from './delete-cluster.ts';
import { type InspectedWec, needsRelease } from './inspect-wec.ts';
import { type HubState, toDeregister } from './leftovers.ts';

/** After this time stellarctl deletes a work that its WDS has not deleted: the WDS may be gone. */
const transportGraceMs = 8000;
/** How soon KubeStellar sends works for what it has seen before the labels were removed; seen within 2 s. */
const recreationMs = 4000;
/** A work that was recreated this often will be recreated again. */
const timesSeen = 2;

/** What a release may do besides removing labels. */
export interface Releasing {
  /** Keeps workloads running; undefined if they are deleted. */
  keep: ((works: readonly ManifestWork[]) => Promise<void>) | undefined;
  force: Force | undefined;
}

/**
 * Releases a WEC from the binding policies that select it, before its ManagedCluster is deleted: KubeStellar still selects a
 * cluster that is being deleted, and recreates each work.
 * @throws StellarError `still-selected` if a policy still selects it; `timeout`
 */
export async function release(
  hub: ForeseenKube,
  inspected: InspectedWec,
  releasing: Releasing,
  run: Run,
): Promise<void> {
  const {
    managedCluster: { object: managedCluster },
    works,
  } = inspected.hubState;
  const isKept = releasing.keep !== undefined;
  if (managedCluster === undefined || !needsRelease(inspected, isKept)) return;
  await removeLabels(hub, managedCluster);
  if (!run.dryRun && (isKept || works.length > 0))
    await untilReleased(hub, inspected.hubState, releasing, run);
}

/** Finds the works that were made again, and again: those of the same name with another UID. */
function recreationsOf(works: readonly ManifestWork[]) {
  const uidsOf = new Map<string, Set<string>>();
  const isRecreated = ({ metadata: { name, uid = '' } }: ManifestWork) => {
    const uids = (uidsOf.get(name) ?? new Set()).add(uid);
    uidsOf.set(name, uids);
    return uids.size > timesSeen;
  };
  works.forEach(isRecreated);
  return isRecreated;
}

/**
 * Waits until the works of every WDS are gone from the mailbox of a WEC whose labels are removed, and no others arrive. If there
 * are no works, it runs only if workloads stay.
 */
async function untilReleased(
  hub: ForeseenKube,
  { name, works: worksBefore, reread }: HubState,
  { keep, force }: Releasing,
  run: Run,
) {
  const started = monotonic();
  const isRecreated = recreationsOf(worksBefore);
  await untilMet(
    {
      name,
      check: ({ works, returned, waitedMs }) => {
        if (returned.length > 0) return failedForGood('its works are recreated');
        if (works.length > 0)
          return waiting(
            `${count(works.length, 'work is', 'works are')} being removed (${sourcesOf(works)})`,
          );
        return waitedMs > recreationMs ? met : waiting('checking that no works come');
      },
      read: async () => {
        const hubState = await reread();
        return {
          ...hubState,
          returned: hubState.works.filter(isRecreated),
          waitedMs: monotonic() - started,
        };
      },
      act: async (hubState) => {
        const { works, waitedMs } = hubState;
        if (works.length === 0) return;
        const present = works.filter(isLiving);
        await keep?.(present.filter((work) => !isOrphan(work)));
        const isOver = waitedMs > transportGraceMs;
        await deleteObjects(
          hub,
          resources.manifestWorks,
          isOver ? present : present.filter(isMadeByHand),
        );
        if (await force?.isDue(hubState))
          await force?.take(resources.manifestWorks, works, [workFinalizer]);
      },
      unmet: ({ works, returned }) =>
        returned.length > 0 ? stillSelected(hub, name, returned) : notReleased(hub, name, works),
    },
    run,
  );
  if (worksBefore.length > 0) run.progress.changed(name, `released from ${sourcesOf(worksBefore)}`);
}

const sourcesOf = (works: readonly ManifestWork[]) => [...policiesOf(works).keys()].join(', ');

function stillSelected(hub: Kube, name: string, works: readonly ManifestWork[]) {
  const { [originBindingLabel]: policy, [originWdsLabel]: wds } = works[0]?.metadata.labels ?? {};
  return new StellarError(
    'still-selected',
    `${name} could not be released: its works are recreated (seen ${timesSeen} times), so ${sourcesOf(works)} selects it by something other than its labels.`,
    (wds && policy ? run : partial)(
      command`kubectl --context ${wds ?? 'WDS'} edit bindingpolicy ${policy ?? 'NAME'}`,
      'Change the policy',
    ),
    run(toDeregister(hub, name), 'Then'),
  );
}

function notReleased(hub: Kube, name: string, works: readonly ManifestWork[]) {
  const details = works.map(({ metadata }) =>
    metadata.finalizers?.length
      ? `${metadata.name} is blocked by finalizer ${metadata.finalizers.join(', ')}`
      : `${metadata.name} is not being removed`,
  );
  const ofOthers = toSeeHolders(works, hub.cluster.context);
  const agents = [
    run(
      command`stellarctl wec get ${name} --its ${hub.cluster.context}`,
      'Its agent removes that finalizer',
    ),
    run(toDeregister(hub, name, '--force'), 'Without the agent'),
  ];
  return new StellarError(
    'timeout',
    `The works of ${name} were not removed in time; it stays registered.`,
    ...ofOthers,
    ...(ofOthers.length < works.length ? agents : []),
  ).with({ details });
}

/**
 * Keeps workloads of a WEC running when its works are deleted: through its agent, or on the WEC itself if the agent is not running.
 * @throws StellarError `not-orphaned`, `timeout`; nothing has been deleted then
 */
export async function keepWorkloads(
  hub: ForeseenKube,
  { name, kube, record, agentDead }: InspectedWec,
  works: readonly ManifestWork[],
  run: Run,
): Promise<void> {
  if (works.length === 0) return;
  const ownersOn = async (wec: Kube): Promise<AppliedManifestWork[]> => {
    if (!record?.hubHash)
      throw new StellarError(
        'not-orphaned',
        `Which objects on ${wec.cluster.context} belong to the works cannot be seen: its agent has no kubeconfig. Nothing was deleted.`,
      );
    return appliedWorksOf(wec, record.hubHash);
  };
  if (agentDead === undefined) {
    const release: ReleaseOnWec | undefined =
      kube &&
      record &&
      (async (work, manifests) =>
        void (await releaseFrom(kube, await ownersOn(kube), work, manifests)));
    return makeOrphans(hub, works, run, { release });
  }
  if (kube === undefined) return;
  for (const work of works) await setOrphan(hub, work);
  const names = new Set(namesOf(works));
  const owners = (await ownersOn(kube)).filter(({ spec }) =>
    names.has(spec?.manifestWorkName ?? ''),
  );
  let released = await releaseOwned(kube, owners);
  // What was applied last may not be in that list yet.
  for (const work of works)
    released += await releaseFrom(kube, owners, work, work.status?.resourceStatus?.manifests ?? []);
  run.progress.changed(name, `${count(released, 'object')} taken out of the works`);
}

/** Removes objects from a work, on the WEC itself. @returns how many */
async function releaseFrom(
  wec: Kube,
  owners: readonly AppliedManifestWork[],
  work: ManifestWork,
  manifests: readonly ManifestStatus[],
) {
  let released = 0;
  for (const owner of owners.filter(({ spec }) => spec?.manifestWorkName === work.metadata.name))
    for (const entry of manifests.flatMap(toResource))
      if (await releaseOne(wec, owner, entry)) released += 1;
  return released;
}

function toResource({ resourceMeta }: ManifestStatus): AppliedResource[] {
  const { group = '', version, resource, name, namespace } = resourceMeta ?? {};
  if (version === undefined || resource === undefined || name === undefined) return [];
  return [{ group, version, resource, name, ...(namespace ? { namespace } : {}) }];
}
