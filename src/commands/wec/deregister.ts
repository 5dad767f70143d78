import type { Command } from 'commander';
import { StellarError } from '../../lib/errors.ts';
import type { DeregisterOptions, LeavingWec } from '../../lib/ocm/deregister/deregister.ts';
import type { Io } from '../../lib/terminal/io.ts';
import { action } from '../action.ts';
import { confirm, type Deed } from '../confirm.ts';
import {
  defineCommand,
  dryRunOption,
  type ItsOptions,
  itsOption,
  type WritingOptions,
  wecContextOption,
  wecKubeconfigOption,
} from '../options.ts';
import type { Session } from '../session.ts';
import { parseWecArguments, type WecArgument } from '../wec-argument.ts';

interface Options extends ItsOptions, WritingOptions {
  yes?: boolean;
  cleanUp?: boolean;
  keepWorkloads?: boolean;
  force?: boolean;
  local?: boolean;
  wecContext?: string;
}

export function deregisterCommand(io: Io): Command {
  return defineCommand('deregister', {
    summary: 'take WECs out of the ITS',
    description:
      'Says what runs on each WEC and what will become of it, asks, then releases the WEC from its binding policies, deletes it, and removes what is left of it on the ITS: mailbox, properties, requests. With --clean-up and NAME=CONTEXT it removes the klusterlet from the cluster as well.',
    timeout: '5m',
    examples: [
      ['stellarctl deregister cluster1=kind-cluster1 --clean-up', 'leave nothing on either side'],
      ['stellarctl deregister cluster1 --keep-workloads', 'let the workloads run on'],
      ['stellarctl deregister cluster1 --yes --its its1', 'without being asked, in a script'],
      ['stellarctl deregister cluster1 --force --its its1', 'although its agent is dead'],
      ['stellarctl deregister --local cluster1 --wec-context cluster1', 'on the side of the WEC alone'],
    ],
  })
    .usage('NAME[=CONTEXT]… [options]')
    .argument('<wecs...>', 'WECs, each with its context where the cluster itself is to be cleaned up')
    .addOption(itsOption())
    .addOption(wecContextOption())
    .addOption(wecKubeconfigOption())
    .option('-y, --yes', 'do not ask')
    .option('--clean-up', 'remove the klusterlet from the cluster')
    .option('--keep-workloads', 'leave the workloads where they run')
    .option('--force', 'take away the finalizers that a dead agent would have to remove')
    .option('--local', "remove the klusterlet only, without access to the ITS: for the WEC's own administrator")
    .addOption(dryRunOption())
    .action(
      action<Options>(io, async (session, options, positional) => {
        const wecs = parseWecArguments(positional, options.wecContext);
        checkCombinations(wecs, options);
        await (options.local ? leaveLocally(session, wecs, options) : leaveHub(session, wecs, options));
      }),
    );
}

function checkCombinations(wecs: WecArgument[], options: Options): void {
  const needsContext = options.local || options.cleanUp;
  const without = wecs.find(({ context }) => context === undefined);
  if (needsContext && without !== undefined) {
    const { name } = without;
    throw new StellarError('usage', `${options.local ? '--local' : '--clean-up'} needs the context of ${name}.`, {
      hint: `Give it: stellarctl deregister ${name}=CONTEXT ${options.local ? '--local' : '--clean-up'}`,
    });
  }
  for (const [option, given] of [
    ['--its', options.its],
    ['--force', options.force],
    ['--keep-workloads', options.keepWorkloads],
  ] as const) {
    if (options.local && given !== undefined)
      throw new StellarError('usage', `${option} is about the ITS, which --local does without.`);
  }
}

/** From the ITS: looks at all of them, asks about all of them, then does the work side by side. */
async function leaveHub(session: Session, wecs: WecArgument[], options: Options): Promise<void> {
  const { prepare, describeLeaving, deregister } = await import('../../lib/ocm/deregister/deregister.ts');
  const { source } = await session.itsChoice();
  if (options.yes && source === 'current context' && !options.dryRun) {
    throw new StellarError('usage', 'With --yes the ITS is not taken from the current context.', {
      hint: 'Name it: --its CONTEXT',
    });
  }
  const its = await session.its();
  session.announce(its.kube);
  const settings: DeregisterOptions = {
    keepWorkloads: options.keepWorkloads === true,
    cleanUp: options.cleanUp === true,
    force: options.force === true,
  };
  const leaving: LeavingWec[] = await Promise.all(
    wecs.map(async ({ name, context }) => ({
      name,
      kube: context === undefined ? undefined : await session.wec(context),
    })),
  );
  const prepared = await Promise.all(leaving.map((wec) => prepare(its.kube, its.context, wec, settings)));
  for (const inspection of prepared) {
    session.progress.note(`${inspection.name} on ${its.context.name}`);
    for (const line of describeLeaving(inspection, settings)) session.progress.note(`  ${line}`);
  }
  if (!options.dryRun) for (const { name } of prepared) await confirm(session, deed(name, options));
  const results = await Promise.all(
    leaving.map((wec, index) =>
      deregister(its.kube, wec, prepared[index] as (typeof prepared)[number], settings, session.run),
    ),
  );
  await session.finish(results);
  if (!options.cleanUp)
    session.next(
      `stellarctl deregister --local ${wecs.map(({ name }) => `${name}=CONTEXT`).join(' ')}      (removes the klusterlet)`,
    );
}

/** From the WEC's side alone. */
async function leaveLocally(session: Session, wecs: WecArgument[], options: Options): Promise<void> {
  const { cleanUpLocally } = await import('../../lib/ocm/deregister/local.ts');
  const leaving = await Promise.all(
    wecs.map(async ({ name, context }) => ({ name, kube: await session.wec(context ?? name) })),
  );
  for (const { name, kube } of leaving) {
    session.progress.note(`${name}, ${kube.cluster.context} (${kube.cluster.server})`);
    session.progress.note(
      '  Its workloads stay where they run; the ITS goes on listing it until it is deregistered there.',
    );
  }
  if (!options.dryRun) for (const { name } of leaving) await confirm(session, deed(name, options));
  await session.finish(await Promise.all(leaving.map((wec) => cleanUpLocally(wec, session.run))));
}

const deed = (name: string, { yes }: Options): Deed => ({
  verb: 'Deregister',
  doing: 'Deregistering',
  name,
  yes,
});
