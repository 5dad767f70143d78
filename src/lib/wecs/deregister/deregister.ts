import { command } from '../../engine/command-line.ts';
import { Deadline } from '../../engine/deadline.ts';
import { forName, type NamedResult } from '../../engine/each-name.ts';
import { StellarError } from '../../engine/errors.ts';
import { run } from '../../engine/next-step.ts';
import type { Run } from '../../engine/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { ManifestWork } from '../../workloads/manifest-works.ts';
import { restoreDeleteOption } from '../../workloads/orphan-works.ts';
import type { PoliciesOfIts } from '../../workloads/policies/policy.ts';
import { cleanUpWec } from './clean-up.ts';
import { Force } from './force.ts';
import { isGone } from './inspect.ts';
import { keepWorkloads } from './keep-workloads.ts';
import { removeLabels, restoreLabels, selectableLabels } from './labels.ts';
import { refuseNewcomer, removeLateRequests, removeLeftovers } from './leftovers.ts';
import type { DeregisterOptions, Leaving } from './prepare.ts';
import { untilReleased } from './release.ts';
import { removeCluster } from './remove-cluster.ts';
import { needsRelease } from './selection.ts';

export interface DeregisterResult extends NamedResult {
  changed: boolean;
}

/** How long what was begun may take to be undone, whatever has ended the command. */
const undoMs = 10_000;

/**
 * Deregisters a WEC that was prepared: keeps its workloads if asked to, releases it from its policies, deletes it, removes what OCM
 * leaves behind, and cleans the cluster itself up. An error is in the result.
 * @param askAgain asks the user once more; returns on yes, throws otherwise
 */
export function deregister(
  hub: Kube,
  leaving: Leaving,
  options: DeregisterOptions,
  policies: PoliciesOfIts,
  askAgain: (why: string) => Promise<void>,
  run: Run,
): Promise<DeregisterResult> {
  const { name, kube, record, inspection } = leaving;
  const result: DeregisterResult = { name, changed: false };
  run.progress.waiting(name, 'deregistering');
  return forName(result, run, async () => {
    if (inspection.managedCluster !== undefined) {
      const wrote = () => {
        result.changed = true;
      };
      await removeFromHub(hub, leaving, options, { policies, askAgain, wrote }, run);
    }
    if (!isGone(inspection) && (await removeLeftovers(hub, name, options.force, run))) result.changed = true;
    if (options.cleanUp && kube !== undefined && record !== undefined) {
      if (!hub.dryRun) await refuseNewcomer(hub, name);
      if (await cleanUpWec(kube, record, options.keepWorkloads, run)) result.changed = true;
      if (!hub.dryRun) await removeLateRequests(hub, name);
    }
    if (hub.dryRun) result.changed = false;
    else run.progress.done(name, result.changed ? 'deregistered' : 'is not registered; nothing to do');
  });
}

interface Surroundings {
  policies: PoliciesOfIts;
  askAgain: (why: string) => Promise<void>;
  /** Called before the first write. */
  wrote: () => void;
}

async function removeFromHub(
  hub: Kube,
  leaving: Leaving,
  options: DeregisterOptions,
  { policies, askAgain, wrote }: Surroundings,
  run: Run,
): Promise<void> {
  const { name, inspection } = leaving;
  const force = options.force ? new Force(hub, inspection, askAgain) : undefined;
  const keep = options.keepWorkloads
    ? (works: readonly ManifestWork[]) => keepWorkloads(hub, leaving, works, run)
    : undefined;
  try {
    await keep?.(inspection.works);
    wrote();
    if (inspection.managedCluster !== undefined && needsRelease(inspection, policies, options.keepWorkloads)) {
      await removeLabels(hub, inspection.managedCluster);
      if (!hub.dryRun && (keep !== undefined || inspection.works.length > 0))
        await untilReleased(hub, inspection, keep, force, run);
    }
    await removeCluster(hub, inspection, force, run);
  } catch (error) {
    if (!(error instanceof StellarError) || hub.dryRun) throw error;
    throw await undone(hub, leaving, error);
  } finally {
    for (const { object, finalizers } of force?.taken ?? [])
      run.progress.note(`${name}: removed finalizer ${finalizers.join(', ')} of ${object}`);
  }
}

/**
 * The WEC stays: its labels, and what happens to its workloads when works are deleted, are put back even after Ctrl-C and the
 * deadline. Where that fails, the next run knows of the labels.
 */
async function undone(hub: Kube, { name, inspection }: Leaving, error: StellarError): Promise<StellarError> {
  const last = hub.fork({ run: { deadline: new Deadline(undoMs), signal: new AbortController().signal } });
  try {
    const labels = await restoreLabels(last, name);
    for (const work of inspection.works) await restoreDeleteOption(last, work);
    return labels === undefined ? error : withDetail(error, `Put back: label ${inWords(labels)}`);
  } catch (trouble) {
    if (!(trouble instanceof StellarError)) throw trouble;
    const removed = inspection.managedCluster && selectableLabels(inspection.managedCluster);
    return new StellarError(error.code, error.message, {
      details: [...error.details, `Not put back: label ${inWords(removed ?? {})} (${trouble.message})`],
      next: [
        run(
          command`stellarctl deregister ${name} --undo --its ${hub.cluster.context}`,
          'Run the same command again, or put them back',
        ),
      ],
    });
  } finally {
    last.close();
  }
}

const withDetail = ({ code, message, details, next }: StellarError, detail: string): StellarError =>
  new StellarError(code, message, { next, details: [...details, detail] });

const inWords = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');

/** Puts back the labels that an interrupted deregistration has removed. An error is in the result. */
export function undoDeregistration(hub: Kube, name: string, run: Run): Promise<DeregisterResult> {
  const result: DeregisterResult = { name, changed: false };
  return forName(result, run, async () => {
    const labels = await restoreLabels(hub, name);
    if (hub.dryRun) return;
    result.changed = labels !== undefined;
    run.progress.done(name, labels === undefined ? 'nothing to undo' : `put back: label ${inWords(labels)}`);
  });
}
