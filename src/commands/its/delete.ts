import type { Command } from 'commander';
import type { Io } from '../../lib/terminal/io.ts';
import { action } from '../shell/action.ts';
import { confirmLoss } from '../shell/confirm-loss.ts';
import { refuseUnnamedHosting } from '../shell/hosting.ts';
import {
  defineCommand,
  dryRunOption,
  type HostingOptions,
  hostingContextOption,
  type WritingOptions,
} from '../shell/options.ts';

interface Options extends HostingOptions, WritingOptions {
  yes?: boolean;
  force?: boolean;
}

export function deleteItsCommand(io: Io): Command {
  return defineCommand('delete', {
    summary: 'delete an Inventory and Transport Space',
    description:
      'Says what hangs on the ITS, asks, deletes it, waits until everything of it is gone from the hosting cluster, and takes its context out of the kubeconfig. It refuses while WECs are registered or WDSes use it. A host or external cluster behind it stays, with OCM in it.',
    timeout: '5m',
    examples: [
      ['stellarctl its delete its1', 'delete it, after a look at what hangs on it'],
      ['stellarctl its delete its1 --yes', 'without being asked, in a script'],
    ],
  })
    .argument('<name>', 'its name')
    .option('-y, --yes', 'do not ask')
    .option('--force', 'although WECs are registered with it, or it does not answer')
    .addOption(hostingContextOption())
    .addOption(dryRunOption())
    .action(
      action<Options>(io, async (session, { yes, force, dryRun }, [name = '']) => {
        const { inspectIts, describeItsDeletion, refuseDependents, deleteIts } = await import(
          '../../lib/spaces/delete/delete-its.ts'
        );
        const tools = await session.spaceTools();
        refuseUnnamedHosting(session, tools, { yes, dryRun });
        session.announce(tools.hosting, 'Hosting cluster');
        const its = await confirmLoss(session, {
          look: async () => {
            const seen = await inspectIts(name, tools);
            refuseDependents(seen, force === true);
            return seen;
          },
          show: (seen) => {
            if (seen.controlPlane !== undefined) session.progress.note(name);
            for (const line of describeItsDeletion(seen)) session.progress.note(`  ${line}`);
          },
          losses: ({ controlPlane, wecs, wdses }) => [
            ...(controlPlane === undefined ? [] : [`control plane ${name} (${controlPlane.metadata.uid})`]),
            ...(wecs ?? []).map((wec) => `the registration of ${wec}`),
            ...wdses.map((wds) => `the ITS of ${wds}`),
          ],
          deeds: ({ controlPlane }) =>
            controlPlane === undefined ? [] : [{ verb: 'Delete', doing: 'Deleting', name, yes }],
          dryRun,
        });
        await session.finish([await deleteIts(its, tools, session.run)]);
      }),
    );
}
