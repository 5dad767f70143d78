import { command } from '../../lib/core/next-step.ts';
import { type Confirm, removalsOf } from '../../lib/core/read-confirmed.ts';
import { applyFleet, isRefused, takenByPlan } from '../../lib/fleet/apply.ts';
import { type Fleet, readFleet } from '../../lib/fleet/fleet-file.ts';
import type { FleetPlan } from '../../lib/fleet/plan.ts';
import { isAssumed } from '../common/clusters.ts';
import { type Confirmation, confirm, confirming, confirmRepair } from '../common/confirm.ts';
import { refreshSteps, unknownLosses } from '../common/forecast-text.ts';
import type { Session } from '../common/session.ts';
import { deregisterShown } from '../wec/deregister.ts';
import { type FileOptions, itsOfFile, openClusters, readSpaces } from './open.ts';
import { changesAnything, describePlan, describeSpaces } from './plan-text.ts';

export type Options = FileOptions & { keepWorkloads?: boolean };

/** Creates the spaces of a file, then registers, changes and deregisters WECs. */
export async function applyFile(session: Session, options: Options): Promise<void> {
  const fleet = await readFleet(options.filename, session.io.stdin);
  // One that is named need not exist yet.
  const isNamed =
    itsOfFile(options, fleet) !== undefined || !isAssumed((await session.itsIfAny())?.source);
  if (session.options.yes && !isNamed) session.requireNamed(await session.its());
  const confirmation = { verb: 'Apply the fleet', name: fleet.name };
  const created = await createMissing(session, fleet, confirmation);
  const { dryRun } = session.run;
  if (created.some(({ error }) => dryRun || error !== undefined)) return session.finish(created);
  const clusters = await openClusters(session, fleet, options);
  const ask = confirming(session, {
    show: (plan: FleetPlan) => session.noteLines(describePlan(plan, false)),
    confirmations: (plan) =>
      isRefused(plan) || !changesAnything(plan)
        ? []
        : [
            {
              ...confirmation,
              removals: removalsOf(takenByPlan(plan), options.maxRemoved, plan.effects.sentTo),
              unknown: unknownLosses(plan.effects),
            },
          ],
  });
  // The plan is seconds old: it need not be read again.
  let refresh: string[] = [];
  const confirmPlan: Confirm<FleetPlan> = async (plan, more) => {
    refresh = refreshSteps(plan.effects);
    return (await ask(plan, more)) && session.options.yes !== true;
  };
  const prune: Parameters<typeof applyFleet>[2] = async (names, permit) => {
    const wecs = names.map((name) => ({ name, context: undefined }));
    return deregisterShown(session, clusters.its, wecs, { ...options, permit }, wecs.length > 1);
  };
  await session.finish(await applyFleet(clusters, confirmPlan, prune));
  const list = command`stellarctl wec list --its ${clusters.its.context.name}`;
  session.next(...refresh, list);
}

/** Creates the spaces of a file that are not as it says, after a question. @returns their results */
async function createMissing(session: Session, fleet: Fleet, confirmation: Confirmation) {
  const missing = (await readSpaces(session, fleet)).filter(({ action }) => action !== 'unchanged');
  if (missing.length === 0) return [];
  session.noteLines(describeSpaces(missing));
  if (!session.run.dryRun) await confirm(session, confirmation);
  const confirmRemaining = (name: string) => confirmRepair(session, name);
  const { createSpaces } = await import('../../lib/fleet/fleet-spaces.ts');
  const tools = await session.spaceTools();
  return createSpaces(fleet, missing, confirmRemaining, tools, session.run);
}
