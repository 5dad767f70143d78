import type { Command } from 'commander';
import type { Io } from '../../lib/terminal/io.ts';
import type { PolicyToDelete } from '../../lib/workloads/change/policy-to-delete.ts';
import { action } from '../shell/action.ts';
import { asking } from '../shell/confirm-loss.ts';
import { defineCommand, dryRunOption, type WdsOptions, type WritingOptions, wdsOptions } from '../shell/options.ts';
import { refuseUnnamedWds } from '../shell/unnamed.ts';

interface Options extends WdsOptions, WritingOptions {
  keepWorkloads?: boolean;
  yes?: boolean;
}

export function policyDeleteCommand(io: Io): Command {
  const definition = defineCommand('delete', {
    summary: 'delete a binding policy, with or without its workloads',
    description:
      'Says which objects leave which WECs, asks, deletes the BindingPolicy, and waits until its works are gone. With --keep-workloads the objects stay where they run: its Binding is kept until the works have given up what they own. Run again, it goes on where it was interrupted.',
    timeout: '5m',
    examples: [
      ['stellarctl policy delete shop', 'and what it has sent'],
      ['stellarctl policy delete shop --keep-workloads', 'let the workloads run on, without an owner'],
      ['stellarctl policy delete shop --wds wds1 --yes', 'without being asked, in a script'],
    ],
  })
    .argument('<name>', 'the policy')
    .option('--keep-workloads', 'leave the workloads where they run')
    .option('-y, --yes', 'do not ask');
  for (const option of [...wdsOptions(), dryRunOption()]) definition.addOption(option);
  return definition.action(
    action<Options>(io, async (session, { yes, keepWorkloads }, [name = '']) => {
      const { deletePolicy, isThere } = await import('../../lib/workloads/change/delete-policy.ts');
      const { describeLeaving } = await import('./delete-text.ts');
      const wds = await session.wds();
      refuseUnnamedWds(session, wds, yes);
      session.announce(wds.kube, 'WDS');
      const confirm = asking<PolicyToDelete>(session, {
        show: (found) => {
          for (const line of isThere(found) ? describeLeaving(found.leaving, keepWorkloads) : [])
            session.progress.note(`  ${line}`);
        },
        deeds: (found) => (isThere(found) ? [{ verb: 'Delete', doing: 'Deleting', name, yes }] : []),
      });
      await session.finish([await deletePolicy({ name, keepWorkloads, confirm }, wds, session.run)]);
    }),
  );
}
