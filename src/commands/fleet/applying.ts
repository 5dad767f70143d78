import { withChanges } from '../../lib/core/changes.ts';
import { command } from '../../lib/core/next-step.ts';
import { type Confirm, removalsOf } from '../../lib/core/read-confirmed.ts';
import { applyFleet, isRefused, takenByPlan } from '../../lib/fleet/apply.ts';
import { type Fleet, readFleet } from '../../lib/fleet/fleet-file.ts';
import { appliedTo } from '../../lib/fleet/owned-values.ts';
import type { FleetPlan } from '../../lib/fleet/plan.ts';
import { isAssumed } from '../common/clusters.ts';
import { type Confirmation, confirm, confirming, confirmRepair } from '../common/confirm.ts';
import { refreshSteps, unknownLosses } from '../common/forecast-text.ts';
import { openRehearsal, type RehearsalOptions } from '../common/rehearsal.ts';
import type { Session } from '../common/session.ts';
import { deregisterShown } from '../wec/deregister.ts';
import { type FileOptions, itsOfFile, openClusters, readSpaces } from './open.ts';
import { changesAnything, describePlan, describeSpaces } from './plan-text.ts';

export type Options = FileOptions & RehearsalOptions & { keepWorkloads?: boolean };

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
  const rehearsal = await openRehearsal(session, options);
  const prepare = async (plan: FleetPlan) => {
    const what = `fleet apply ${fleet.name}`;
    const tried = await triedByPlan(fleet, plan);
    await rehearsal.prepare({ what, subject: plan.its, tried, effects: plan.effects });
  };
  const ask = confirming(session, {
    show: (plan: FleetPlan) =>
      session.noteLines([...describePlan(plan, false), ...rehearsal.lines()]),
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
    if (!isRefused(plan)) await prepare(plan);
    return (await ask(plan, more)) && session.options.yes !== true;
  };
  const prune: Parameters<typeof applyFleet>[2] = async (names, permit) => {
    const wecs = names.map((name) => ({ name, context: undefined }));
    return deregisterShown(session, clusters.its, wecs, { ...options, permit }, wecs.length > 1);
  };
  const tryOut = async (plan: FleetPlan) => {
    await prepare(plan);
    await rehearsal.tryOut();
  };
  await session.finish(await applyFleet(clusters, confirmPlan, prune, tryOut));
  const list = command`stellarctl wec list --its ${clusters.its.context.name}`;
  session.next(...refresh, list);
}

/** The labels that the WECs of a plan get. */
async function triedByPlan({ name: fleet, wecs }: Fleet, { items, present }: FleetPlan) {
  const { isTried, triedLabels } = await import('../../lib/maintenance/tried.ts');
  const tried = items.flatMap(({ name, action, changes, error }) => {
    const wec = wecs.find((each) => each.name === name);
    if (wec === undefined || error !== undefined || action === 'remove') return [];
    const cluster = present.clusters.get(name);
    if (cluster === undefined) return triedLabels(name, undefined, wec.labels);
    const before = cluster.metadata.labels ?? {};
    const labels = changes.flatMap(({ kind, key, to }): [string, string | null][] =>
      kind === 'label' ? [[key, to]] : [],
    );
    const after = withChanges(before, Object.fromEntries(labels));
    return triedLabels(name, before, after, appliedTo(cluster, fleet));
  });
  return tried.filter(isTried);
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
