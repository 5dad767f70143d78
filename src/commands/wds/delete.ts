import type { Command } from 'commander';
import type { Io } from '../../lib/terminal/io.ts';
import { objectsIn } from '../../lib/workloads/manifest-works.ts';
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
  keepWorkloads?: boolean;
}

export function deleteWdsCommand(io: Io): Command {
  return defineCommand('delete', {
    summary: 'delete a Workload Description Space',
    description:
      'Says what the WDS has sent to WECs, asks, deletes its binding policies, waits until what they have sent is gone from the WECs, then deletes the WDS and takes its context out of the kubeconfig. With --keep-workloads the workloads stay where they run.',
    timeout: '5m',
    examples: [
      ['stellarctl wds delete wds1', 'delete it, with the workloads that it has sent'],
      ['stellarctl wds delete wds1 --keep-workloads', 'let the workloads run on, without an owner'],
      ['stellarctl wds delete wds1 --yes', 'without being asked, in a script'],
    ],
  })
    .argument('<name>', 'its name')
    .option('-y, --yes', 'do not ask')
    .option('--keep-workloads', 'leave the workloads where they run')
    .option('--force', 'although what it has sent cannot be seen, or agents that would have to remove it are dead')
    .addOption(hostingContextOption())
    .addOption(dryRunOption())
    .action(
      action<Options>(io, async (session, { yes, dryRun, ...options }, [name = '']) => {
        const { inspectWds, describeWdsDeletion, refuseUnseen, deleteWds } = await import(
          '../../lib/spaces/delete/delete-wds.ts'
        );
        const settings = { keepWorkloads: options.keepWorkloads === true, force: options.force === true };
        const tools = await session.spaceTools();
        refuseUnnamedHosting(session, tools, { yes, dryRun });
        session.announce(tools.hosting, 'Hosting cluster');
        const wds = await confirmLoss(session, {
          look: async () => {
            const seen = await inspectWds(name, tools);
            refuseUnseen(seen, settings.force);
            return seen;
          },
          show: (seen) => {
            if (seen.controlPlane !== undefined) session.progress.note(name);
            for (const line of describeWdsDeletion(seen, settings)) session.progress.note(`  ${line}`);
          },
          losses: ({ controlPlane, policies, works }) => [
            ...(controlPlane === undefined ? [] : [`control plane ${name} (${controlPlane.metadata.uid})`]),
            ...policies.map(({ metadata }) => `binding policy ${metadata.name}`),
            ...works.flatMap((work) => objectsIn(work).map((object) => `${object} on ${work.metadata.namespace}`)),
          ],
          deeds: ({ controlPlane }) =>
            controlPlane === undefined ? [] : [{ verb: 'Delete', doing: 'Deleting', name, yes }],
          dryRun,
        });
        await session.finish([await deleteWds(wds, settings, tools, session.run)]);
      }),
    );
}
