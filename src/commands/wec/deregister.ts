import { Option } from 'commander';
import type { NamedResult } from '../../lib/core/each-name.ts';
import { StellarError } from '../../lib/core/errors.ts';
import { command, noted, partial, textOf } from '../../lib/core/next-step.ts';
import type { Its } from '../../lib/ocm/hub/its.ts';
import type { DeregisterOptions } from '../../lib/wecs/deregister/inspect-wec.ts';
import { type Confirmation, confirm, confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import { openPolicies, requireForeseen } from '../common/forecast-text.ts';
import {
  dryRunOption,
  itsOption,
  maxRemovedOption,
  refuseWithout,
  selectionOptions,
  wecKubeconfigOption,
  yesOption,
} from '../common/options.ts';
import type { Session } from '../common/session.ts';
import {
  type ChosenWecs,
  noneMatches,
  parseChosenWecs,
  type SelectionOptions,
  type WecArgument,
  withContext,
} from '../common/wec-argument.ts';

interface Options extends SelectionOptions {
  cleanup?: boolean;
  keepWorkloads?: boolean;
  force?: boolean;
  local?: boolean;
  undo?: boolean;
  maxRemoved?: number;
}

/** Up to this number, named WECs are shown and confirmed one by one. */
const fewWecs = 10;

export const definition: Definition<Options> = {
  description:
    'Shows what runs on each WEC and what happens to it, asks, releases the WEC from its binding policies, deletes it, and removes its leftovers on the ITS: mailbox, properties, requests. With NAME=CONTEXT, first proves that the cluster is that WEC; with --cleanup it also removes the klusterlet from the cluster.',
  timeout: '5m',
  destroys: true,
  examples: [
    ['stellarctl deregister cluster1=kind-cluster1 --cleanup', 'remove everything on both sides'],
    ['stellarctl deregister cluster1 --keep-workloads', 'keep the workloads running'],
    ['stellarctl deregister cluster1 --yes --its its1', 'in a script, without confirmation'],
    ['stellarctl deregister -l location-group=edge', 'all WECs with a label; asks once'],
    ['stellarctl deregister cluster1 --force --its its1', 'even if its agent is not running'],
    ['stellarctl deregister cluster1 --undo', 'undo one that was interrupted'],
    ['stellarctl deregister --local cluster1=kind-cluster1', 'on the WEC only'],
  ],
  usage: 'NAME[=CONTEXT]… | -l SELECTOR | --all [options]',
  arguments: [
    [
      '[wecs...]',
      'WECs; with a context, the cluster is proven to be that WEC, and can be cleaned up',
    ],
  ],
  rare: ['--dry-run', '--allow-none', '--wec-kubeconfig', '--local', '--undo', '--max-removed'],
  options: [
    itsOption(),
    ...selectionOptions(),
    wecKubeconfigOption(),
    yesOption(),
    ['--cleanup', 'remove the klusterlet from the cluster'],
    ['--keep-workloads', 'keep the workloads running'],
    [
      '--force',
      'deregister WECs whose agents are not running: after 15s without progress, remove the finalizers that an agent would remove',
    ],
    new Option(
      '--local',
      "remove the klusterlet only, without access to the ITS: for the WEC's own administrator",
    ).conflicts(['its', 'force', 'keepWorkloads', 'undo']),
    new Option('--undo', 'restore the labels that an interrupted deregistration removed').conflicts(
      ['cleanup', 'force', 'keepWorkloads'],
    ),
    maxRemovedOption(
      'with --undo: so many WECs may lose objects by these labels, also where that is unknown (default: none)',
    ),
    dryRunOption(),
  ],
  async run(session, options, positional) {
    const wecs = parseChosenWecs(positional, options);
    if (!options.undo) refuseWithout('--undo', { '--max-removed': options.maxRemoved });
    const { named = [{ name: 'NAME', context: undefined }] } = wecs;
    const without = named.find(({ context }) => context === undefined);
    if (without !== undefined && options.local) {
      throw new StellarError(
        'usage',
        `--local needs the context of ${without.name}.`,
        partial(command`stellarctl deregister --local ${`${without.name}=CONTEXT`}`, 'Give it'),
      );
    }
    const work = options.undo ? undo : options.local ? deregisterOnWecs : deregisterFromIts;
    await work(session, wecs, options);
  },
};

async function deregisterFromIts(session: Session, { named, find }: ChosenWecs, options: Options) {
  const its = await session.itsToWrite();
  const wecs = await find(its.kube);
  if (wecs.length === 0) session.progress.note(noneMatches(its.kube));
  // WECs from a selector, or hundreds of names, are confirmed as a whole.
  const asksOnce = wecs.length > (named === undefined ? 1 : fewWecs);
  const results = await deregisterShown(session, its, wecs, options, asksOnce);
  await session.finish(results);
  if (options.cleanup || wecs.length === 0) return;
  const each = wecs.map(({ name, context }) => `${name}=${context ?? 'CONTEXT'}`);
  const typed = each.length > fewWecs ? ['NAME=CONTEXT'] : each;
  const cleanUp = command`stellarctl deregister ${typed} --cleanup --its ${its.context.name}`;
  session.next(textOf(noted(cleanUp, 'removes the klusterlet')));
}

/** Shows what runs on the WECs, asks, and deregisters them. @param asksOnce for all of them, or for each */
export async function deregisterShown(
  session: Session,
  its: Its,
  wecs: readonly WecArgument[],
  options: DeregisterOptions,
  asksOnce: boolean,
): Promise<NamedResult[]> {
  const { deregister } = await import('../../lib/wecs/deregister/deregister.ts');
  const { isGone } = await import('../../lib/wecs/deregister/leftovers.ts');
  const { describeDeregistration, describeMany } = await import('./deregister-text.ts');
  const names = wecs.map(({ name }) => name);
  return deregister(
    {
      its,
      wecs: await (options.cleanup ? session.registeredWecs(wecs, its.kube) : session.wecs(wecs)),
      options,
      readPolicies: () => openPolicies(session, its, names),
      confirm: confirming(session, {
        show: (inspected) => {
          const rows = inspected.flatMap(({ effects }) => effects.rows);
          session.foresees({ rows }, undefined, 'leaving');
          const describe = inspected.length > fewWecs ? describeMany : describeDeregistration;
          session.noteLines(describe(inspected, its.context.name, options));
        },
        confirmations: (inspected) =>
          asksOnce
            ? [confirmation(`${inspected.length} WECs`, inspected.length)]
            : inspected.flatMap(({ name, hubState, record }) =>
                isGone(hubState) && record === undefined ? [] : confirmation(name),
              ),
      }),
      askAgain: (name, why) => {
        session.progress.note(why);
        return confirm(session, { ...confirmation(name), verb: 'Continue to deregister' });
      },
    },
    session.run,
  );
}

async function deregisterOnWecs(session: Session, { named = [] }: ChosenWecs) {
  const { deregisterLocally } = await import('../../lib/wecs/deregister/deregister-locally.ts');
  const { describeLocally } = await import('./deregister-text.ts');
  const results = await deregisterLocally(
    await session.wecs(named.map(withContext)),
    confirming(session, {
      show: (inspected) => session.noteLines(describeLocally(inspected)),
      confirmations: (inspected) =>
        inspected.flatMap(({ name, record }) => (record === undefined ? [] : confirmation(name))),
    }),
    session.run,
  );
  await session.finish(results);
}

async function undo(session: Session, { find }: ChosenWecs, { maxRemoved }: Options) {
  const { undoDeregistration } = await import('../../lib/wecs/deregister/deregister.ts');
  const { labelChanges } = await import('../../lib/wecs/values/label-changes.ts');
  const { savedLabels } = await import('../../lib/wecs/registration/saved-labels.ts');
  const { findWecs } = await import('../../lib/ocm/hub/find-wecs.ts');
  const its = await session.itsToWrite();
  const { kube } = its;
  const names = (await find(kube)).map(({ name }) => name);
  const found = await findWecs(kube, { names });
  const changes = await labelChanges(
    kube,
    found.map(({ name, cluster }) => ({
      name,
      cluster,
      labels: { ...savedLabels(cluster), ...cluster?.metadata.labels },
    })),
  );
  const effects = await requireForeseen(session, its, changes, { maxRemoved });
  await session.finish(await undoDeregistration(kube, names, effects, session.run));
}

/** @param number of the WECs, if they are confirmed as a whole */
const confirmation = (name: string, number?: number): Confirmation => ({
  verb: 'Deregister',
  name,
  number,
  oneWec: number === undefined,
});
