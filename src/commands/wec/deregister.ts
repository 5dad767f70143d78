import type { Command } from 'commander';
import { command } from '../../lib/engine/command-line.ts';
import { StellarError } from '../../lib/engine/errors.ts';
import { outline } from '../../lib/engine/next-step.ts';
import type { Io } from '../../lib/terminal/io.ts';
import type { DeregisterOptions } from '../../lib/wecs/deregister/prepare.ts';
import { action } from '../shell/action.ts';
import { confirm, type Deed } from '../shell/confirm.ts';
import { confirmLoss } from '../shell/confirm-loss.ts';
import { refuseUnnamedIts } from '../shell/its-named.ts';
import {
  defineCommand,
  dryRunOption,
  type ItsOptions,
  itsOption,
  type WritingOptions,
  wecContextOption,
  wecKubeconfigOption,
} from '../shell/options.ts';
import { openPolicies } from '../shell/policies-of-its.ts';
import type { Session } from '../shell/session.ts';
import { parseWecArguments, type WecArgument } from '../shell/wec-argument.ts';
import { describeLeaving, lossesOf } from './deregister-text.ts';

interface Options extends ItsOptions, WritingOptions {
  yes?: boolean;
  cleanUp?: boolean;
  keepWorkloads?: boolean;
  force?: boolean;
  local?: boolean;
  undo?: boolean;
  wecContext?: string;
}

export function deregisterCommand(io: Io): Command {
  return defineCommand('deregister', {
    summary: 'deregister WECs from the ITS',
    description:
      'Says what runs on each WEC and what will become of it, asks, then releases the WEC from its binding policies, deletes it, and removes what is left of it on the ITS: mailbox, properties, requests. With NAME=CONTEXT it first proves that the cluster is that WEC; with --clean-up it removes the klusterlet from the cluster as well.',
    timeout: '5m',
    examples: [
      ['stellarctl deregister cluster1=kind-cluster1 --clean-up', 'leave nothing on either side'],
      ['stellarctl deregister cluster1 --keep-workloads', 'leave the workloads running'],
      ['stellarctl deregister cluster1 --yes --its its1', 'without being asked, in a script'],
      ['stellarctl deregister cluster1 --force --its its1', 'although its agent is not running'],
      ['stellarctl deregister cluster1 --undo', 'undo one that was interrupted'],
      ['stellarctl deregister --local cluster1 --wec-context cluster1', 'on the side of the WEC alone'],
    ],
  })
    .usage('NAME[=CONTEXT]… [options]')
    .argument('<wecs...>', 'WECs; with its context, the cluster is proven to be that WEC, and can be cleaned up')
    .addOption(itsOption())
    .addOption(wecContextOption())
    .addOption(wecKubeconfigOption())
    .option('-y, --yes', 'do not ask')
    .option('--clean-up', 'remove the klusterlet from the cluster')
    .option('--keep-workloads', 'leave the workloads where they run')
    .option(
      '--force',
      'without proof that the agent is gone: after 15s without progress, remove the finalizers that it would remove',
    )
    .option('--local', "remove the klusterlet only, without access to the ITS: for the WEC's own administrator")
    .option('--undo', 'put back the labels that an interrupted deregistration has removed')
    .addOption(dryRunOption())
    .action(
      action<Options>(io, async (session, options, positional) => {
        const wecs = parseWecArguments(positional, options.wecContext);
        checkCombinations(wecs, options);
        if (options.undo) await undo(session, wecs);
        else await (options.local ? leaveLocally(session, wecs, options) : leaveHub(session, wecs, options));
      }),
    );
}

function checkCombinations(wecs: WecArgument[], options: Options): void {
  const { undo, cleanUp, keepWorkloads, force } = options;
  if (undo && (cleanUp || keepWorkloads || force))
    throw new StellarError(
      'usage',
      '--undo only puts labels back; give it without --clean-up, --keep-workloads and --force.',
    );
  const needsContext = options.local || options.cleanUp;
  const without = wecs.find(({ context }) => context === undefined);
  if (needsContext && without !== undefined) {
    const { name } = without;
    throw new StellarError('usage', `${options.local ? '--local' : '--clean-up'} needs the context of ${name}.`, {
      next: [
        outline(
          command`stellarctl deregister ${`${name}=CONTEXT`} ${options.local ? '--local' : '--clean-up'}`,
          'Give it',
        ),
      ],
    });
  }
  for (const [option, given] of [
    ['--its', options.its],
    ['--force', options.force],
    ['--keep-workloads', options.keepWorkloads],
    ['--undo', options.undo],
  ] as const) {
    if (options.local && given !== undefined)
      throw new StellarError('usage', `${option} is about the ITS, which --local does without.`);
  }
}

/** From the ITS: looks at all of them, asks about all of them, looks again, then does the work side by side. */
async function leaveHub(session: Session, wecs: WecArgument[], options: Options): Promise<void> {
  const { deregister } = await import('../../lib/wecs/deregister/deregister.ts');
  const { prepare } = await import('../../lib/wecs/deregister/prepare.ts');
  await refuseUnnamedIts(session, options);
  const its = await session.its();
  session.announce(its.kube);
  const settings: DeregisterOptions = {
    keepWorkloads: options.keepWorkloads === true,
    cleanUp: options.cleanUp === true,
    force: options.force === true,
  };
  const named = await Promise.all(
    wecs.map(async ({ name, context }) => ({
      name,
      kube: context === undefined ? undefined : await session.wec(context),
    })),
  );
  const { leaving, policies } = await confirmLoss(session, {
    look: async () => {
      const policies = await openPolicies(
        session,
        its,
        named.map(({ name }) => name),
      );
      const leaving = await Promise.all(named.map((wec) => prepare(its.kube, its.context, wec, settings, policies)));
      return { leaving, policies };
    },
    show: ({ leaving, policies }) => {
      for (const each of leaving) {
        session.progress.note(`${each.name} on ${its.context.name}`);
        for (const line of describeLeaving(each, settings, policies)) session.progress.note(`  ${line}`);
      }
    },
    losses: ({ leaving }) => leaving.flatMap(lossesOf),
    deeds: ({ leaving }) => leaving.map(({ name }) => deed(name, options)),
    dryRun: options.dryRun,
  });
  const askAgain = askingOneByOne(session, options);
  await session.finish(
    await Promise.all(
      leaving.map((each) =>
        deregister(its.kube, each, settings, policies, (why) => askAgain(each.name, why), session.run),
      ),
    ),
  );
  if (!options.cleanUp)
    session.next(
      `${command`stellarctl deregister --local ${wecs.map(({ name, context }) => `${name}=${context ?? 'CONTEXT'}`)}`}      (removes the klusterlet)`,
    );
}

/** Puts the labels back that an interrupted run has removed. */
async function undo(session: Session, wecs: WecArgument[]): Promise<void> {
  const { undoDeregistration } = await import('../../lib/wecs/deregister/deregister.ts');
  const { kube } = await session.its();
  session.announce(kube);
  await session.finish(await Promise.all(wecs.map(({ name }) => undoDeregistration(kube, name, session.run))));
}

/** WECs are deregistered side by side, and a terminal has room for one question. */
function askingOneByOne(session: Session, options: Options): (name: string, why: string) => Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  return (name, why) => {
    const asking = last.then(async () => {
      session.progress.note(why);
      await confirm(session, { ...deed(name, options), verb: 'Continue to deregister' });
    });
    last = asking.catch(() => {});
    return asking;
  };
}

/** From the WEC's side alone. */
async function leaveLocally(session: Session, wecs: WecArgument[], options: Options): Promise<void> {
  const { cleanUpLocally, prepareLocally } = await import('../../lib/wecs/deregister/local.ts');
  const named = await Promise.all(
    wecs.map(async ({ name, context }) => ({ name, kube: await session.wec(context ?? name) })),
  );
  const leaving = await confirmLoss(session, {
    look: () =>
      Promise.all(named.map(async ({ name, kube }) => ({ name, kube, record: await prepareLocally(name, kube) }))),
    show: (seen) => {
      for (const { name, kube, record } of seen) {
        session.progress.note(`${name}, ${kube.cluster.context} (${kube.cluster.server})`);
        if (record !== undefined)
          session.progress.note('  Its workloads stay where they run. On its ITS nothing is changed.');
      }
    },
    losses: (seen) => seen.filter(({ record }) => record !== undefined).map(({ name }) => `klusterlet of ${name}`),
    deeds: (seen) => seen.filter(({ record }) => record !== undefined).map(({ name }) => deed(name, options)),
    dryRun: options.dryRun,
  });
  await session.finish(await Promise.all(leaving.map((each) => cleanUpLocally(each, session.run))));
}

const deed = (name: string, { yes }: Options): Deed => ({
  verb: 'Deregister',
  doing: 'Deregistering',
  name,
  yes,
});
