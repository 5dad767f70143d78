import pLimit from 'p-limit';
import { concurrentRequests, mapConcurrently } from '../core/concurrency.ts';
import { forName } from '../core/each-name.ts';
import { type Confirm, readConfirmed } from '../core/read-confirmed.ts';
import type { Run } from '../core/run.ts';
import type { Kube } from '../kube/client/client.ts';
import type { SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import { hubEndpoints } from '../ocm/hub-access.ts';
import type { ManifestWork } from '../ocm/manifest-works.ts';
import type { PoliciesOfIts } from '../ocm/policies.ts';
import { cleanUpWec, writeCleanupRecord } from './clean-up.ts';
import { deleteCluster, forceOf } from './delete-cluster.ts';
import { type HubState, isGone, readHubStates } from './hub-state.ts';
import {
  type DeregisterOptions,
  type InspectedWec,
  inspectWec,
  lossesOfWec,
  type WecToDeregister,
} from './inspect-wec.ts';
import { refuseReregistered, removeLateRequests, removeLeftovers } from './leftovers.ts';
import { keepWorkloads, release } from './release.ts';
import { type DeregisterResult, restoreAfterFailure } from './undo-deregister.ts';

export interface Deregistration {
  its: { kube: Kube; context: SelectedContext };
  wecs: readonly WecToDeregister[];
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
  { its: { kube: hub, context }, wecs, options, readPolicies, confirm, askAgain }: Deregistration,
  run: Run,
): Promise<DeregisterResult[]> {
  const inspected = await readConfirmed({
    read: async () => {
      const [policies, endpoints] = await Promise.all([readPolicies(), hubEndpoints(hub, context)]);
      const ofIts = { hub, endpoints, policies };
      const states = await readHubStates(
        hub,
        wecs.map(({ name }) => name),
      );
      const inspections = wecs.map((wec, index) => ({ wec, hubState: states[index] as HubState }));
      return mapConcurrently(inspections, concurrentRequests, ({ wec, hubState }) =>
        inspectWec(ofIts, wec, hubState, options),
      );
    },
    losses: (seen) => seen.flatMap(lossesOfWec),
    confirm,
  });
  // WECs are deregistered in parallel, and a terminal shows one question at a time.
  const oneAtATime = pLimit(1);
  return Promise.all(
    inspected.map((wec) => deregisterOne(hub, wec, options, (why) => oneAtATime(() => askAgain(wec.name, why)), run)),
  );
}

/**
 * Deregisters one WEC from what was read after the user's last confirmation: release.ts removes it from its policies, with or without
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
): Promise<DeregisterResult> {
  const { name, kube, record, hubState } = wec;
  const result: DeregisterResult = { name, changed: false };
  const cleansUp = options.cleanup && kube !== undefined && record !== undefined;
  const keep = options.keepWorkloads
    ? (works: readonly ManifestWork[]) => keepWorkloads(hub, wec, works, run)
    : undefined;
  const force = options.force ? forceOf(hub, hubState, askAgain) : undefined;
  run.progress.waiting(name, 'deregistering');
  return forName(result, run, async () => {
    if (hubState.managedCluster !== undefined) {
      try {
        await keep?.(hubState.works);
        result.changed = true;
        await release(hub, wec, keep, force, run);
        // Part of the proof of identity is deleted with the ManagedCluster.
        if (cleansUp && !run.dryRun) await writeCleanupRecord(kube, record);
        await deleteCluster(hub, hubState, force, run);
      } catch (error) {
        throw await restoreAfterFailure(hub, wec, error);
      } finally {
        for (const { object, finalizers } of force?.taken ?? [])
          run.progress.note(`${name}: removed finalizer ${finalizers.join(', ')} of ${object}`);
      }
    }
    const left = isGone(hubState) ? undefined : await removeLeftovers(hub, hubState, options.force, run);
    if (left?.removed) result.changed = true;
    if (cleansUp) {
      if (!run.dryRun) await refuseReregistered(hub, name);
      if (await cleanUpWec(kube, record, options.keepWorkloads, run)) result.changed = true;
      if (!run.dryRun) await removeLateRequests(hub, hubState);
    }
    await left?.untilGone?.();
    if (!run.dryRun) run.progress.done(name, result.changed ? 'deregistered' : 'is not registered; nothing to do');
  });
}
