import pLimit from 'p-limit';
import { changeWords } from '../../core/changes.ts';
import { mapConcurrently } from '../../core/concurrency.ts';
import { forName, type NamedResult } from '../../core/each-name.ts';
import { StellarError } from '../../core/errors.ts';
import { run as runCommand } from '../../core/next-step.ts';
import { type Confirm, readConfirmed } from '../../core/read-confirmed.ts';
import type { Run } from '../../core/run.ts';
import { few } from '../../core/text/words.ts';
import { ifSeen, tryRead } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { type Foreseen, foreseen } from '../../kube/client/foreseen.ts';
import { groupResourceOf, resources } from '../../kube/client/objects.ts';
import { may, requirePermissions } from '../../kube/permissions.ts';
import { proving, writeLast } from '../../kube/writes.ts';
import { hubEndpoints } from '../../ocm/hub/hub-access.ts';
import type { Its } from '../../ocm/hub/its.ts';
import type { PoliciesOfIts } from '../../ocm/model/kubestellar-names.ts';
import {
  foreignFinalizers,
  type ManifestWork,
  toSeeHolder,
} from '../../ocm/model/manifest-works.ts';
import { selectableLabels } from '../../ocm/model/ocm-names.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import { restoreDeleteOption } from '../../ocm/orphan-works.ts';
import {
  agentNudger,
  describeApplied,
  heldObjects,
} from '../../workloads/delivery/applied-works.ts';
import { restoreLabels } from '../registration/saved-labels.ts';
import type { Wec } from '../registration/wec-view.ts';
import { cleanUpWec, writeCleanupRecord } from './clean-up.ts';
import { deleteCluster, forceOf } from './delete-cluster.ts';
import { keepWorkloads, release } from './detach-from-policies.ts';
import { agreedTo, type DeregisterOptions, type InspectedWec, inspectWec } from './inspect-wec.ts';
import {
  type HubState,
  isGone,
  readHubStates,
  refuseReregistered,
  removeLateRequests,
  removeLeftovers,
  toDeregister,
} from './leftovers.ts';

export interface Deregistration {
  its: Its;
  wecs: readonly Wec[];
  options: DeregisterOptions;
  /** Reads the binding policies that may send workloads to these WECs, as far as they can be read. */
  readPolicies(): Promise<PoliciesOfIts>;
  confirm: Confirm<InspectedWec[]>;
  /** Asks the user again about one WEC; throws unless the answer is yes. */
  askAgain(name: string, why: string): Promise<void>;
}

/**
 * Deregisters WECs from their ITS in parallel.
 * @throws StellarError if one of them cannot be deregistered or the user declines; nothing has been written then
 */
export async function deregister(
  { its, wecs, options, readPolicies, confirm, askAgain }: Deregistration,
  run: Run,
): Promise<NamedResult[]> {
  const { kube: hub } = its;
  await requirePermissions(hub, [may('delete', resources.managedClusters)]);
  const inspected = await readConfirmed({
    read: async () => {
      const [policies, endpoints] = await Promise.all([readPolicies(), hubEndpoints(its)]);
      const ofIts = { hub, endpoints, policies };
      const names = wecs.map(({ name }) => name);
      const states = await readHubStates(hub, names);
      const inspections = wecs.map((wec, index) => ({ wec, hubState: states[index] as HubState }));
      return mapConcurrently(inspections, ({ wec, hubState }) =>
        inspectWec(ofIts, wec, hubState, options),
      );
    },
    effects: (seen) => seen.flatMap(agreedTo),
    confirm,
  });
  // WECs are deregistered in parallel, and a terminal shows one question at a time.
  const oneAtATime = pLimit(1);
  return Promise.all(
    inspected.map((wec) =>
      deregisterOne(hub, wec, options, (why) => oneAtATime(() => askAgain(wec.name, why)), run),
    ),
  );
}

/**
 * Deregisters one WEC from what was read after the user's last confirmation: detach-from-policies.ts removes it from its policies, with or without
 * its workloads, delete-cluster.ts deletes it and its objects on the ITS, clean-up.ts removes its objects from the cluster. An error is in the
 * result.
 * @param askAgain throws unless the user confirms again
 */
export function deregisterOne(
  hub: Kube,
  wec: InspectedWec,
  options: DeregisterOptions,
  askAgain: (why: string) => Promise<void>,
  run: Run,
): Promise<NamedResult> {
  const { name, kube, record } = wec;
  const hubState = nudging(wec);
  const isRegistered = hubState.managedCluster.object !== undefined;
  const writer = foreseen(hub, wec.effects);
  const keep = options.keepWorkloads
    ? (works: readonly ManifestWork[]) => keepWorkloads(writer, wec, works, run)
    : undefined;
  const force = options.force
    ? forceOf(writer, hubState, askAgain, (text) => run.progress.note(text))
    : undefined;
  const leaveHub = async () => {
    if (isRegistered) {
      await options.permit?.(name);
      await keep?.(hubState.works);
      await release(writer, { ...wec, hubState }, { keep, force }, run);
      // Its works may take minutes to go.
      await options.permit?.(name);
      // Part of the proof of identity is deleted with the ManagedCluster.
      if (options.cleanup && kube && record && !run.dryRun) await writeCleanupRecord(kube, record);
      await deleteCluster(writer, hubState, force, run);
    }
    return isGone(hubState) ? undefined : removeLeftovers(writer, hubState, options.force, run);
  };
  run.progress.waiting(name, 'deregistering');
  return forName({ name, changed: false }, run, async () => {
    const left = await leaveHub().catch(async (error: unknown) => {
      throw await restoreAfterFailure(hub, wec, await withHeld(wec, error), options);
    });
    const isCleaned = await cleanUp(hub, { ...wec, hubState }, options, run);
    await left?.untilGone?.();
    const isDone = isRegistered || left?.removed || isCleaned;
    run.progress.done(name, isDone ? 'deregistered' : 'is not registered; nothing to do');
  });
}

/** Removes the klusterlet, if that is asked for. @returns whether anything was removed */
async function cleanUp(
  hub: Kube,
  { name, kube, record, hubState }: InspectedWec,
  { cleanup, keepWorkloads: keep }: DeregisterOptions,
  run: Run,
) {
  if (!cleanup || kube === undefined || record === undefined) return false;
  if (!run.dryRun) await refuseReregistered(hub, name);
  const isCleaned = await cleanUpWec(proving(kube), record, keep, run);
  if (!run.dryRun) await removeLateRequests(hub, hubState);
  return isCleaned;
}

/** The step that ends what has begun. Without its ManagedCluster, `fleet apply` does not know the WEC any more. */
function toFinish(
  hub: Kube,
  { name, kube }: InspectedWec,
  { keepWorkloads, cleanup }: DeregisterOptions,
) {
  const wec = kube ? `${name}=${kube.cluster.context}` : name;
  const options = [keepWorkloads ? '--keep-workloads' : [], cleanup ? '--cleanup' : []].flat();
  return runCommand(toDeregister(hub, wec, ...options), 'To finish it');
}

/** What is read of a WEC while its works are removed, with its agent at work. */
function nudging({ kube, record, hubState }: InspectedWec): HubState {
  if (!kube || !record?.hubHash || kube.dryRun) return hubState;
  const nudge = agentNudger(kube, record.hubHash);
  const reread = () => {
    // Not waited for: a cluster that does not answer delays nothing.
    void nudge();
    return hubState.reread();
  };
  return { ...hubState, reread };
}

/** Adds what the deletion waits for on the WEC itself: its agent, and thereby the hub, waits for every object of a work. */
async function withHeld({ kube, record }: InspectedWec, error: unknown): Promise<unknown> {
  if (!(error instanceof StellarError) || error.code !== 'timeout' || !kube || !record?.hubHash)
    return error;
  const { hubHash } = record;
  const seen = ifSeen(await tryRead(() => heldObjects(kube, hubHash))) ?? [];
  const held = seen.map((each) => ({
    ...each,
    finalizers: foreignFinalizers(each.object, () => false),
  }));
  // A namespace without a finalizer waits for what is in it.
  const cause = held.find(({ finalizers }) => finalizers.length > 0) ?? held[0];
  if (cause === undefined) return error;
  const { context } = kube.cluster;
  const details = held.map(({ entry, finalizers }) => {
    const why =
      finalizers.length === 0 ? '' : `, and is blocked by finalizer ${finalizers.join(', ')}`;
    return `On ${context}, ${describeApplied(entry)} is being deleted${why}.`;
  });
  const see = toSeeHolder(context, groupResourceOf(cause.entry), cause.object);
  return error.with({ details: few(details), next: [see, ...error.next] });
}

/**
 * Restores a WEC that stays after a failed deregistration: its labels, and what happens to its workloads when works are deleted,
 * even after Ctrl-C and the deadline. If that fails, the next run still has the labels.
 * @returns the error, with the state of the labels
 */
export async function restoreAfterFailure(
  hub: Kube,
  wec: InspectedWec,
  error: unknown,
  options: DeregisterOptions,
): Promise<unknown> {
  const { name, hubState } = wec;
  const { object } = hubState.managedCluster;
  // Nothing was there to restore, and the command that has failed is the one that finishes it.
  if (!(error instanceof StellarError) || hub.dryRun || object === undefined) return error;
  try {
    return await writeLast(hub, async (last) => {
      const cluster = await last.get<ManagedCluster>(resources.managedClusters, name);
      // The hub deletes the works of a cluster that is being deleted: without option Orphan, their workloads would go with them.
      if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined)
        return error.with({ next: [...error.next, toFinish(hub, wec, options)] });
      const writer = foreseen(last, wec.effects);
      const labels = await restoreLabels(writer, name);
      for (const work of hubState.works) await restoreDeleteOption(writer, work);
      const again =
        'Workloads whose removal had begun are sent again, but not what else was in their Namespaces';
      return labels === undefined
        ? error
        : error.with({ details: [`Restored: label ${labelList(labels)}`, again] });
    });
  } catch (failure) {
    if (!(failure instanceof StellarError)) throw failure;
    const removed = selectableLabels(object);
    return error.with({
      details: [`Not restored: label ${labelList(removed)} (${failure.message})`],
      next: [runCommand(toDeregister(hub, name, '--undo'), 'Rerun the command, or restore them')],
    });
  }
}

const labelList = (labels: Record<string, string>) => changeWords(labels).join(', ');

/**
 * Restores the labels that interrupted deregistrations have removed. An error is in the result.
 * @param effects what these labels do to workloads
 */
export const undoDeregistration = (
  hub: Kube,
  names: readonly string[],
  effects: Foreseen,
  run: Run,
): Promise<NamedResult[]> =>
  Promise.all(
    names.map((name) => {
      const result: NamedResult = { name, changed: false };
      return forName(result, run, async () => {
        const labels = await restoreLabels(foreseen(hub, effects), name);
        run.progress.done(
          name,
          labels === undefined ? 'nothing to undo' : `restored: label ${labelList(labels)}`,
        );
      });
    }),
  );
