import { StellarError } from '../core/errors.ts';
import { untilMet } from '../core/follow.ts';
import { command, type NextStep, partial, run } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { failed, met, waiting } from '../core/stages.ts';
import { count } from '../core/text/words.ts';
import type { Kube } from '../kube/client/client.ts';
import { unlessStatus } from '../kube/client/errors.ts';
import type { ForeseenKube } from '../kube/client/foreseen.ts';
import { conditionOf, isTrue, resources } from '../kube/client/objects.ts';
import { prove } from '../kube/served.ts';
import { isOrphan, type ManifestStatus, type ManifestWork } from './model/manifest-works.ts';

/** Removes the work's ownership of objects on the WEC itself. */
export type ReleaseOnWec = (
  work: ManifestWork,
  manifests: readonly ManifestStatus[],
) => Promise<void>;

/** What an error reports if workloads cannot be kept. */
interface KeepingFailed {
  /** What has been deleted before the error. */
  state: string;
  /** The next step for a WEC whose agent does not apply all objects. Default: deregister the WEC with its context. */
  next?(wec: string): NextStep;
}

/** An agent retries a manifest that it could not apply after some seconds. */
const retryMs = 10_000;

/**
 * Keeps workloads running when their works are deleted: sets deletion option Orphan, and waits for the proof that a work no longer
 * owns any object. An agent releases ownership only with a successful apply of that very object (ocm pkg/work, update_apply). An
 * object whose update fails would be deleted with its work, so nothing may be deleted then.
 * @param given.release releases on the WEC what the agent cannot apply; undefined without access to the WEC
 * @throws StellarError `not-orphaned`, naming the objects; `timeout` if the agent does not respond
 */
export async function makeOrphans(
  hub: ForeseenKube,
  works: readonly ManifestWork[],
  run: Run,
  given: Partial<KeepingFailed> & { release?: ReleaseOnWec | undefined } = {},
): Promise<void> {
  const { release, ...otherwise } = { state: 'Nothing was deleted.', ...given };
  const removed = works.filter((work) => work.metadata.deletionTimestamp && !isOrphan(work));
  if (removed.length > 0) throw alreadyBeingDeleted(removed, otherwise);
  for (const work of works) await setOrphan(hub, work);
  await untilMet(
    {
      graceMs: () => retryMs,
      check: (open) => {
        if (open.length === 0) return met;
        const isUnanswered = open.some(({ owned }) => owned.length === 0);
        return isUnanswered
          ? waiting('the agent has not answered')
          : failed('the agent does not apply all objects');
      },
      read: async () => {
        const judged = await Promise.all(
          works.map((work) => judgeOne(hub, work, release !== undefined)),
        );
        const open = judged.filter((work) => work !== undefined);
        for (const { work, owned } of open) if (owned.length > 0) await release?.(work, owned);
        return release === undefined ? open : open.filter(({ owned }) => owned.length === 0);
      },
      unmet: (open) =>
        open.some(({ owned }) => owned.length > 0)
          ? notOrphaned(open, hub, otherwise)
          : agentSilent(hub, open, otherwise),
    },
    run,
  );
}

/** Sets deletion option Orphan on an existing work. */
export async function setOrphan(hub: ForeseenKube, work: ManifestWork): Promise<void> {
  if (isOrphan(work)) return;
  const { name, namespace, uid } = work.metadata;
  const patch = { metadata: { uid }, spec: { deleteOption: { propagationPolicy: 'Orphan' } } };
  // The work is already deleted, or another work has its name.
  await unlessStatus(hub.merge(resources.manifestWorks, name, patch, { namespace }), 404, 409);
}

/** Restores the deletion option of a work to the value it was read with. A work that is being deleted stays unchanged. */
export async function restoreDeleteOption(hub: ForeseenKube, before: ManifestWork): Promise<void> {
  if (isOrphan(before)) return;
  const { name, namespace, uid } = before.metadata;
  const now = await hub.get<ManifestWork>(resources.manifestWorks, name, { namespace });
  if (
    now === undefined ||
    now.metadata.uid !== uid ||
    now.metadata.deletionTimestamp ||
    !isOrphan(now)
  )
    return;
  const { resourceVersion } = now.metadata;
  const propagationPolicy = before.spec?.deleteOption?.propagationPolicy ?? null;
  const deleteOption = propagationPolicy === null ? null : { propagationPolicy };
  const patch = { metadata: { uid, resourceVersion }, spec: { deleteOption } };
  await hub.merge(resources.manifestWorks, name, patch, { namespace });
}

/** A work without the proof. */
interface OpenWork {
  work: ManifestWork;
  /** What the agent has not released, as far as it reports; empty if it has not processed the work yet. */
  owned: ManifestStatus[];
}

/**
 * @param askWec treat no manifest as released by the agent's report, because the WEC itself shows it
 * @returns undefined if the work owns nothing
 */
async function judgeOne(
  hub: ForeseenKube,
  { metadata }: ManifestWork,
  askWec: boolean,
): Promise<OpenWork | undefined> {
  const { name, namespace, uid } = metadata;
  const { object: work } = await prove<ManifestWork>(hub, resources.manifestWorks, name, {
    namespace,
  });
  if (work === undefined || work.metadata.uid !== uid) return undefined;
  if (!isOrphan(work)) {
    // Another write came first.
    await setOrphan(hub, work);
    return { work, owned: [] };
  }
  const isComplete = isNeverAppliedAgain(work);
  if (!isComplete && !isObserved(work, 'Applied')) return { work, owned: [] };
  const owned = (work.status?.resourceStatus?.manifests ?? []).filter(
    (manifest) => askWec || isComplete || mayBeOwned(work, manifest),
  );
  // A work that reports a failed apply without naming the object proves nothing.
  if (owned.length === 0 && !isTrue(work, 'Applied')) return { work, owned: [] };
  return owned.length === 0 ? undefined : { work, owned };
}

/** Whether the agent has set a condition for the current generation of the work. */
const isObserved = (work: ManifestWork, type: string) =>
  (conditionOf(work, type)?.observedGeneration ?? 0) >= (work.metadata.generation ?? 0);

/**
 * An agent of OCM 1.3.1 applies nothing of a work that is Complete: its condition Applied stays at the previous generation
 * (observed).
 */
const isNeverAppliedAgain = (work: ManifestWork) =>
  isTrue(work, 'Complete') && isObserved(work, 'Complete');

/**
 * Whether a work may still own a manifest although the agent has processed the Orphan option: the manifest was not applied, or the
 * agent no longer applies it (observed with OCM 1.3.1: objects that are ReadOnly or Complete keep their owner).
 */
function mayBeOwned({ spec }: ManifestWork, manifest: ManifestStatus) {
  const object = { status: manifest };
  const { group = '', resource, name, namespace = '' } = manifest.resourceMeta ?? {};
  const config = spec?.manifestConfigs?.find(
    ({ resourceIdentifier: of }) =>
      (of?.group ?? '') === group &&
      of?.resource === resource &&
      of?.name === name &&
      (of?.namespace ?? '') === namespace,
  );
  return (
    !isTrue(object, 'Applied') ||
    isTrue(object, 'Complete') ||
    config?.updateStrategy?.type === 'ReadOnly'
  );
}

function alreadyBeingDeleted(works: readonly ManifestWork[], { state }: KeepingFailed) {
  const message = `${count(works.length, 'work is', 'works are')} being deleted already, together with the workloads. ${state}`;
  const details = works.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  return new StellarError('not-orphaned', message).with({ details });
}

function notOrphaned(open: readonly OpenWork[], { cluster }: Kube, { state, next }: KeepingFailed) {
  const failing = open.filter(({ owned }) => owned.length > 0);
  const [wec = 'NAME'] = failing.map(({ work }) => work.metadata.namespace ?? 'NAME');
  const message = `Workloads cannot be kept: objects that the agent does not apply still belong to their works and would be deleted with them. ${state}`;
  const details = failing.flatMap(({ owned }) => owned.map(describeManifest));
  return new StellarError(
    'not-orphaned',
    message,
    next?.(wec) ??
      partial(
        command`stellarctl deregister ${`${wec}=CONTEXT`} --keep-workloads --its ${cluster.context}`,
        'Fix the objects, or give the context of the cluster, so that stellarctl takes them out of their works',
      ),
  ).with({ details });
}

function describeManifest({ resourceMeta = {}, conditions }: ManifestStatus) {
  const { kind, resource, name, namespace } = resourceMeta;
  const applied = conditions?.find(({ type }) => type === 'Applied');
  const why =
    applied?.status === 'True'
      ? 'the agent no longer updates it'
      : (applied?.message ?? 'not applied');
  return `${kind || resource || 'object'} ${namespace ? `${namespace}/` : ''}${name}: ${why}`;
}

function agentSilent({ cluster }: Kube, open: readonly OpenWork[], { state }: KeepingFailed) {
  const [wec = 'NAME'] = open.map(({ work }) => work.metadata.namespace ?? 'NAME');
  return new StellarError(
    'timeout',
    `The agent of ${wec} did not acknowledge the Orphan option in time. ${state}`,
    run(command`stellarctl wec get ${wec} --its ${cluster.context}`, 'See why'),
  );
}
