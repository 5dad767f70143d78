import { StellarError } from '../../errors.ts';
import type { Kube } from '../../kube/client.ts';
import type { SelectedContext } from '../../kube/kubeconfig.ts';
import type { Run } from '../../run.ts';
import { isSameHub } from '../endpoint.ts';
import { hubEndpoints } from '../hub-access.ts';
import { releaseOwned } from './applied.ts';
import { checkKlusterlet, cleanUpWec } from './clean-up.ts';
import { type Inspection, inspect, isGone, objectsIn, policiesOf, selectableLabels } from './inspect.ts';
import { release } from './release.ts';
import { removeCluster, removeLeftovers } from './remove.ts';

/** A WEC that is to leave. */
export interface LeavingWec {
  name: string;
  /** A client for the cluster itself, where its context was given. */
  kube?: Kube | undefined;
}

export interface DeregisterOptions {
  keepWorkloads: boolean;
  cleanUp: boolean;
  force: boolean;
}

export interface DeregisterResult {
  name: string;
  changed: boolean;
  error?: StellarError;
}

/**
 * Looks at what is there, and refuses what cannot be done, before anything is written.
 * @throws StellarError `not-a-hub`, `registered-elsewhere`, `agent-dead`
 */
export async function prepare(
  hub: Kube,
  context: SelectedContext,
  wec: LeavingWec,
  options: DeregisterOptions,
): Promise<Inspection> {
  const [endpoints, inspection] = await Promise.all([hubEndpoints(hub, context), inspect(hub, wec.name)]);
  if (options.cleanUp && wec.kube !== undefined) {
    await checkKlusterlet(wec.kube, wec.name, (present) => isSameHub(present, endpoints));
  }
  const { agentDead, works, name, managedCluster } = inspection;
  if (managedCluster === undefined || agentDead === undefined || works.length === 0) return inspection;
  if (!options.force) throw agentIsDead(name, works.length, agentDead);
  if (options.keepWorkloads && wec.kube === undefined) {
    throw new StellarError(
      'agent-dead',
      `The agent of ${name} does not live (${agentDead}), so that its workloads have to be taken out of its ownership on the cluster itself.`,
      {
        hint: `Give its context: stellarctl deregister ${name}=CONTEXT --keep-workloads --force`,
      },
    );
  }
  return inspection;
}

function agentIsDead(name: string, works: number, why: string): StellarError {
  return new StellarError(
    'agent-dead',
    `The agent of ${name} does not live (${why}), so that it cannot remove its ${works} works.`,
    {
      hint: 'Without it: --force takes the finalizers away. The workloads then stay where they run, unless --clean-up and NAME=CONTEXT remove them',
    },
  );
}

/** What leaving means, as statements for the person who decides: what runs there, by what it was selected, and what becomes of it. */
export function describeLeaving(
  inspection: Inspection,
  { keepWorkloads, cleanUp, force }: DeregisterOptions,
): string[] {
  const { managedCluster, works, addons, agentDead, name } = inspection;
  if (managedCluster === undefined) {
    return [`Not registered${isGone(inspection) ? '' : ' any more; what is left of it will be removed'}.`];
  }
  const labels = Object.entries(selectableLabels(managedCluster)).map(([key, value]) => `${key}=${value}`);
  const lines = [...policiesOf(works)].map(([policy, own]) => {
    const objects = own.flatMap(objectsIn);
    const shown = objects.slice(0, 4).join(', ');
    return `runs      ${own.length} works of ${policy}: ${shown}${objects.length > 4 ? ', …' : ''}`;
  });
  if (addons.length > 0) lines.push(`add-ons   ${addons.map(({ metadata }) => metadata.name).join(', ')}`);
  if (labels.length > 0) lines.push(`labels    ${labels.join(', ')}`);
  if (agentDead !== undefined) lines.push(`agent     does not live: ${agentDead}`);
  if (works.length === 0) lines.push('No workloads of KubeStellar run there.');
  else if (agentDead !== undefined && force && !cleanUp && !keepWorkloads)
    lines.push('Its workloads stay where they run, and nobody looks after them any more.');
  else if (keepWorkloads) lines.push('Its workloads stay where they run.');
  else lines.push(`Its workloads will be removed from ${name}. To leave them running: --keep-workloads`);
  return lines;
}

/** Deregisters a WEC: releases it from its policies, deletes it, removes what OCM leaves behind, and cleans the cluster itself up. */
export async function deregister(
  hub: Kube,
  wec: LeavingWec,
  inspection: Inspection,
  options: DeregisterOptions,
  run: Run,
): Promise<DeregisterResult> {
  const { name } = wec;
  const result: DeregisterResult = { name, changed: false };
  run.progress.waiting(name, 'letting it go');
  try {
    await leave(hub, wec, inspection, options, result, run);
    if (hub.dryRun) result.changed = false;
    else run.progress.done(name, result.changed ? 'deregistered' : 'is not registered; nothing to do');
  } catch (error) {
    if (!(error instanceof StellarError)) throw error;
    result.error = error;
    run.progress.failed(name, error.message);
  }
  return result;
}

async function leave(
  hub: Kube,
  wec: LeavingWec,
  inspection: Inspection,
  options: DeregisterOptions,
  result: DeregisterResult,
  run: Run,
): Promise<void> {
  const { name } = wec;
  const { managedCluster, agentDead, works } = inspection;
  if (managedCluster !== undefined) {
    result.changed = true;
    if (agentDead === undefined) {
      if (managedCluster.metadata.deletionTimestamp === undefined || works.length > 0)
        await release(hub, inspection, options.keepWorkloads, run);
    } else if (wec.kube !== undefined && works.length > 0 && options.keepWorkloads) {
      const released = await releaseOwned(wec.kube, new Set(works.map(({ metadata }) => metadata.name)));
      run.progress.changed(name, `${released} objects taken out of its agent's ownership`);
    }
    const taken = await removeCluster(hub, name, options.force, run);
    for (const { object, finalizers } of taken)
      run.progress.note(`${name}: took ${finalizers.join(', ')} off ${object}`);
  }
  if (!isGone(inspection) && (await removeLeftovers(hub, name, run))) result.changed = true;
  if (options.cleanUp && wec.kube !== undefined && (await cleanUpWec(wec.kube, name, options.keepWorkloads, run)))
    result.changed = true;
}
