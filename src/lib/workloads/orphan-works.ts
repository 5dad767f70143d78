import { command } from '../engine/command-line.ts';
import { count } from '../engine/counts.ts';
import { StellarError } from '../engine/errors.ts';
import { type NextStep, outline, run } from '../engine/next-step.ts';
import type { Run } from '../engine/run.ts';
import { failed, met, waiting } from '../engine/stages.ts';
import { untilMet } from '../engine/until-met.ts';
import type { Kube } from '../kube/client/client.ts';
import { conditionOf } from '../kube/objects.ts';
import { resources } from '../kube/resources.ts';
import { unlessStatus } from '../kube/unless-status.ts';
import type { ManifestStatus, ManifestWork } from './manifest-works.ts';

/** Takes objects of a work out of its ownership on the WEC itself. */
export type ReleaseOnWec = (work: ManifestWork, manifests: readonly ManifestStatus[]) => Promise<void>;

/** What is to be said where workloads cannot be kept. */
interface KeepingFailed {
  /** What has been deleted by then. */
  state: string;
  /** What helps for a WEC whose agent does not apply all objects; without it, to deregister it with its context. */
  next?(wec: string): NextStep;
}

const nothingDeleted: KeepingFailed = { state: 'Nothing was deleted.' };

/** An agent tries a manifest that it could not apply again after some seconds. */
const retryMs = 10_000;

/**
 * Makes workloads stay where they run when their works are deleted: sets deletion option Orphan, and waits for the proof that nothing
 * of a work is owned by it any more. An agent gives ownership up only by a successful apply of that very object (ocm pkg/work,
 * update_apply): one whose update fails would be deleted with its work, so that nothing may be deleted then.
 * @param release does it on the WEC for what the agent cannot apply; undefined without access to the WEC
 * @param otherwise what is said where it cannot be done
 * @throws StellarError `not-orphaned`, naming the objects; `timeout` where the agent does not answer
 */
export async function makeOrphans(
  hub: Kube,
  works: readonly ManifestWork[],
  run: Run,
  release?: ReleaseOnWec,
  otherwise = nothingDeleted,
): Promise<void> {
  const removed = works.filter((work) => work.metadata.deletionTimestamp && !isOrphan(work));
  if (removed.length > 0) throw alreadyBeingDeleted(removed, otherwise);
  for (const work of works.filter((each) => !isOrphan(each))) await setOrphan(hub, work);
  await untilMet(
    {
      stage: {
        id: 'orphaned',
        title: 'owned by no work',
        graceMs: retryMs,
        check: (open) => {
          if (open.length === 0) return met;
          const isUnanswered = open.some(({ owned }) => owned.length === 0);
          return isUnanswered ? waiting('the agent has not answered') : failed('the agent does not apply all objects');
        },
      },
      look: async () => {
        const judged = await Promise.all(works.map((work) => judgeOne(hub, work, release !== undefined)));
        const open = judged.filter((work) => work !== undefined);
        for (const { work, owned } of open) if (owned.length > 0) await release?.(work, owned);
        return release === undefined ? open : open.filter(({ owned }) => owned.length === 0);
      },
      unmet: (open) =>
        open.some(({ owned }) => owned.length > 0) ? notOrphaned(open, hub, otherwise) : noAnswer(hub, open, otherwise),
    },
    run,
  );
}

export const isOrphan = ({ spec }: ManifestWork): boolean => spec?.deleteOption?.propagationPolicy === 'Orphan';

/** Sets deletion option Orphan on a work that is there. */
export async function setOrphan(hub: Kube, { metadata: { name, namespace, uid } }: ManifestWork): Promise<void> {
  const patch = { metadata: { uid }, spec: { deleteOption: { propagationPolicy: 'Orphan' } } };
  // Otherwise it is gone, or another one has its name.
  await unlessStatus(hub.merge(resources.manifestWorks, name, patch, { namespace }), 404, 409);
}

/** Sets the deletion option of a work to what it was when it was read; one that is being deleted stays as it is. */
export async function restoreDeleteOption(hub: Kube, before: ManifestWork): Promise<void> {
  if (isOrphan(before)) return;
  const { name, namespace, uid } = before.metadata;
  const now = await hub.get<ManifestWork>(resources.manifestWorks, name, { namespace });
  if (now === undefined || now.metadata.uid !== uid || now.metadata.deletionTimestamp || !isOrphan(now)) return;
  const { resourceVersion } = now.metadata;
  const propagationPolicy = before.spec?.deleteOption?.propagationPolicy ?? null;
  const deleteOption = propagationPolicy === null ? null : { propagationPolicy };
  await hub.merge(
    resources.manifestWorks,
    name,
    { metadata: { uid, resourceVersion }, spec: { deleteOption } },
    { namespace },
  );
}

/** A work for which the proof is missing. */
interface OpenWork {
  work: ManifestWork;
  /** What the agent has not released, as far as it says; empty where it has not acted on the work yet. */
  owned: ManifestStatus[];
}

/**
 * @param askWec take no manifest for released, because the WEC itself shows it
 * @returns undefined where nothing of the work is owned by it
 */
async function judgeOne(hub: Kube, { metadata }: ManifestWork, askWec: boolean): Promise<OpenWork | undefined> {
  const { name, namespace, uid } = metadata;
  const work = await hub.get<ManifestWork>(resources.manifestWorks, name, { namespace });
  if (work === undefined || work.metadata.uid !== uid) return undefined;
  const applied = conditionOf(work, 'Applied');
  const isComplete = isNeverAppliedAgain(work);
  if (!isComplete && !isObserved(work, 'Applied')) return { work, owned: [] };
  const owned = (work.status?.resourceStatus?.manifests ?? []).filter(
    (manifest) => askWec || isComplete || mayBeOwned(work, manifest),
  );
  // A work that says that it was not applied, and not which object, proves nothing.
  if (owned.length === 0 && applied?.status !== 'True') return { work, owned: [] };
  return owned.length === 0 ? undefined : { work, owned };
}

/** Whether the agent has set a condition of the work as it is now. */
const isObserved = (work: ManifestWork, type: string): boolean =>
  (conditionOf(work, type)?.observedGeneration ?? 0) >= (work.metadata.generation ?? 0);

/** An agent of OCM 1.3.1 applies nothing of a work that is Complete; its condition Applied stays at the generation before (seen). */
const isNeverAppliedAgain = (work: ManifestWork): boolean =>
  conditionOf(work, 'Complete')?.status === 'True' && isObserved(work, 'Complete');

/**
 * Whether a manifest may still be owned by its work although the agent has acted on the Orphan option: it was not applied, or the
 * agent does not apply it any more (seen with OCM 1.3.1: objects that are ReadOnly or Complete keep their owner).
 */
function mayBeOwned({ spec }: ManifestWork, manifest: ManifestStatus): boolean {
  const isTrue = (type: string) => conditionOf({ status: manifest }, type)?.status === 'True';
  const { group = '', resource, name, namespace = '' } = manifest.resourceMeta ?? {};
  const config = spec?.manifestConfigs?.find(
    ({ resourceIdentifier: of }) =>
      (of?.group ?? '') === group &&
      of?.resource === resource &&
      of?.name === name &&
      (of?.namespace ?? '') === namespace,
  );
  return !isTrue('Applied') || isTrue('Complete') || config?.updateStrategy?.type === 'ReadOnly';
}

function alreadyBeingDeleted(works: readonly ManifestWork[], { state }: KeepingFailed): StellarError {
  return new StellarError(
    'not-orphaned',
    `${count(works.length, 'work is', 'works are')} being deleted already, together with the workloads${state === nothingDeleted.state ? '; nothing was deleted by this command.' : `. ${state}`}`,
    { details: works.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`) },
  );
}

function notOrphaned(open: readonly OpenWork[], { cluster }: Kube, { state, next }: KeepingFailed): StellarError {
  const failing = open.filter(({ owned }) => owned.length > 0);
  const [wec = 'NAME'] = failing.map(({ work }) => work.metadata.namespace ?? 'NAME');
  return new StellarError(
    'not-orphaned',
    `Workloads cannot be kept: objects that the agent does not apply still belong to their works and would be deleted with them. ${state}`,
    {
      details: failing.flatMap(({ owned }) => owned.map(describeManifest)),
      next: [
        next?.(wec) ??
          outline(
            command`stellarctl deregister ${`${wec}=CONTEXT`} --keep-workloads --its ${cluster.context}`,
            'Fix the objects, or give the context of the cluster, so that stellarctl takes them out of their works',
          ),
      ],
    },
  );
}

function describeManifest({ resourceMeta = {}, conditions }: ManifestStatus): string {
  const { kind, resource, name, namespace } = resourceMeta;
  const applied = conditions?.find(({ type }) => type === 'Applied');
  const why =
    applied?.status === 'True' ? 'the agent does not update it any more' : (applied?.message ?? 'not applied');
  return `${kind || resource || 'object'} ${namespace ? `${namespace}/` : ''}${name}: ${why}`;
}

function noAnswer({ cluster }: Kube, open: readonly OpenWork[], { state }: KeepingFailed): StellarError {
  const [wec = 'NAME'] = open.map(({ work }) => work.metadata.namespace ?? 'NAME');
  return new StellarError(
    'timeout',
    `The agent of ${wec} did not acknowledge the Orphan option in time${state === nothingDeleted.state ? '; nothing was deleted.' : `. ${state}`}`,
    { next: [run(command`stellarctl wec get ${wec} --its ${cluster.context}`, 'See why')] },
  );
}
