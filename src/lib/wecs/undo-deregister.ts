import { changeWords } from '../core/changes.ts';
import { forName, type NamedResult } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { run as runCommand } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/client/resources.ts';
import { writeLast } from '../kube/writes.ts';
import type { ManagedCluster } from '../ocm/ocm-objects.ts';
import { restoreDeleteOption } from '../ocm/orphan-works.ts';
import { toDeregister } from './hub-state.ts';
import type { InspectedWec } from './inspect-wec.ts';
import { restoreLabels, selectableLabels } from './release-labels.ts';

export interface DeregisterResult extends NamedResult {
  changed: boolean;
}

/**
 * Restores a WEC that stays after a failed deregistration: its labels, and what happens to its workloads when works are deleted,
 * even after Ctrl-C and the deadline. If that fails, the next run still has the labels.
 * @returns the error, with the state of the labels
 */
export async function restoreAfterFailure(
  hub: Kube,
  { name, hubState }: InspectedWec,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof StellarError) || hub.dryRun) return error;
  try {
    return await writeLast(hub, async (last) => {
      const cluster = await last.get<ManagedCluster>(resources.managedClusters, name);
      // The hub deletes the works of a cluster that is being deleted: without option Orphan, their workloads would go with them.
      if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return error;
      const labels = await restoreLabels(last, name);
      for (const work of hubState.works) await restoreDeleteOption(last, work);
      return labels === undefined ? error : error.with({ details: [`Restored: label ${labelList(labels)}`] });
    });
  } catch (failure) {
    if (!(failure instanceof StellarError)) throw failure;
    const removed = hubState.managedCluster && selectableLabels(hubState.managedCluster);
    return error.with({
      details: [`Not restored: label ${labelList(removed ?? {})} (${failure.message})`],
      next: [runCommand(toDeregister(hub, name, '--undo'), 'Rerun the command, or restore them')],
    });
  }
}

const labelList = (labels: Record<string, string>): string => changeWords(labels).join(', ');

/** Restores the labels that interrupted deregistrations have removed. An error is in the result. */
export const undoDeregistration = (hub: Kube, names: readonly string[], run: Run): Promise<DeregisterResult[]> =>
  Promise.all(
    names.map((name) => {
      const result: DeregisterResult = { name, changed: false };
      return forName(result, run, async () => {
        const labels = await restoreLabels(hub, name);
        result.changed = labels !== undefined;
        if (!run.dryRun)
          run.progress.done(name, labels === undefined ? 'nothing to undo' : `restored: label ${labelList(labels)}`);
      });
    }),
  );
