import { command } from '../../lib/core/next-step.ts';
import { type Confirm, removalsOf } from '../../lib/core/read-confirmed.ts';
import type { FleetPlan } from '../../lib/fleet/plan.ts';
import { confirm, confirming, confirmLeft } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import { dryRunOption, yesOption } from '../common/options.ts';
import { type FileOptions, fileOptions, itsOfFile, openClusters, readSpaces } from './open.ts';

type Options = FileOptions & { keepWorkloads?: boolean };

export const definition: Definition<Options> = {
  description:
    'Makes the WECs of the ITS what a file says: shows the plan and asks, registers and accepts what is missing, then sets labels, annotations and properties. What leaves the file is removed, unless another program wants it too. If a part of the file cannot be true, nothing is written; otherwise every WEC is tried. It can be rerun to resume.',
  timeout: '30m',
  examples: [
    ['stellarctl fleet apply -f fleet.yaml', 'show the plan, ask, and apply it'],
    ['stellarctl fleet apply -f fleet.yaml --its its1 --yes', 'in a script'],
    [
      'stellarctl fleet apply -f fleet.yaml --force-conflicts tier',
      'own a label that another program has set',
    ],
  ],
  usage: '-f FILE [options]',
  rare: [
    '--wec-kubeconfig',
    '--trust-kubeconfigs',
    '--max-removed',
    '--evict-works',
    '--hosting-context',
    '--keep-workloads',
  ],
  options: [
    ...fileOptions(),
    ['--keep-workloads', 'with --prune: keep the workloads running'],
    yesOption(),
    dryRunOption(),
  ],
  destroys: true,
  async run(session, options) {
    const { readFleet } = await import('../../lib/fleet/fleet-file.ts');
    const fleet = await readFleet(options.filename, session.io.stdin);
    const { isAssumed } = await import('../common/clusters.ts');
    // One that is named need not exist yet.
    const isNamed =
      itsOfFile(options, fleet) !== undefined || !isAssumed((await session.itsIfAny())?.source);
    if (options.yes && !isNamed) session.requireNamed(await session.its());
    const { describePlan, describeSpaces, changesAnything, replacesValues } = await import(
      './plan-text.ts'
    );
    const { refreshSteps, unseenPolicies } = await import('../common/side-effects-text.ts');
    const confirmation = { verb: 'Apply the fleet', name: fleet.name };
    const missing = (await readSpaces(session, fleet)).filter(
      ({ action }) => action !== 'unchanged',
    );
    if (missing.length > 0) {
      session.noteLines(describeSpaces(missing));
      if (!options.dryRun) await confirm(session, confirmation);
      const confirmRemaining = (name: string) => confirmLeft(session, name);
      const { createSpaces } = await import('../../lib/fleet/fleet-spaces.ts');
      const created = await createSpaces(
        fleet,
        missing,
        confirmRemaining,
        await session.spaceTools(),
        session.run,
      );
      if (options.dryRun || created.some(({ error }) => error !== undefined))
        return session.finish(created);
    }
    const { applyFleet, isRefused } = await import('../../lib/fleet/apply.ts');
    const clusters = await openClusters(session, fleet, options);
    const ask = confirming(session, {
      show: (plan: FleetPlan) => session.noteLines(describePlan(plan, false)),
      confirmations(plan) {
        if (isRefused(plan) || !changesAnything(plan)) return [];
        const unknown = replacesValues(plan) ? unseenPolicies(plan.effects) : [];
        const leaving = plan.items.flatMap(({ name, action }) =>
          action === 'remove' ? { object: 'its registration', wec: name } : [],
        );
        const { lost, sentTo } = plan.effects;
        return [
          {
            ...confirmation,
            removals: removalsOf([...leaving, ...lost], options.maxRemoved, sentTo),
            unknown,
          },
        ];
      },
    });
    // The plan is seconds old: it need not be read again.
    let refresh: string[] = [];
    const confirmPlan: Confirm<FleetPlan> = async (plan, more) => {
      refresh = refreshSteps(plan.effects);
      return (await ask(plan, more)) && !options.yes;
    };
    const prune = async (names: readonly string[]) => {
      const { deregisterShown } = await import('../wec/deregister.ts');
      const wecs = names.map((name) => ({ name, context: undefined }));
      return deregisterShown(session, clusters.its, wecs, options, wecs.length > 1);
    };
    const results = await applyFleet(clusters, confirmPlan, prune);
    await session.finish(results);
    const list = command`stellarctl wec list --its ${clusters.its.context.name}`;
    session.next(...refresh, list);
  },
};
