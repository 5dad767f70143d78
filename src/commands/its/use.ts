import { type Command, Option } from 'commander';
import { StellarError } from '../../lib/errors.ts';
import type { Io } from '../../lib/terminal/io.ts';
import { action } from '../action.ts';
import { defineCommand, type ItsOptions } from '../options.ts';

export function useCommand(io: Io): Command {
  return defineCommand('use', {
    summary: 'choose the ITS that commands mean, or show it',
    description:
      'Chooses the context of the ITS for all later commands. Without an argument it shows which ITS is meant now, and why: --its comes first, then the variable STELLARCTL_ITS, then this choice, then the current context.',
    timeout: '30s',
    examples: [
      ['stellarctl its use its1', 'mean its1 from now on'],
      ['stellarctl its use', 'show what is meant'],
      ['stellarctl its use --unset', 'go back to the current context'],
    ],
  })
    .argument('[context]', 'the context of the ITS')
    .addOption(new Option('--unset', 'forget the choice'))
    .action(
      action<ItsOptions & { unset?: boolean }>(io, async (session, { unset }, [context]) => {
        const { useIts, forgetIts } = await import('../../lib/its-use.ts');
        if (unset && context !== undefined) throw new StellarError('usage', 'Give a context or --unset, not both.');
        if (unset) {
          await forgetIts();
          session.progress.note('The choice is forgotten.');
        } else if (context !== undefined) await useIts(await session.kubeconfig(), context);
        if (unset && !(await session.hasIts())) return;
        const { context: name, source } = await session.itsChoice();
        const { cluster } = (await session.its()).kube;
        const shown = { name, server: cluster.server, source };
        await session.print(
          shown,
          [shown],
          [
            { header: 'ITS', value: (row) => row.name },
            { header: 'SERVER', value: (row) => row.server },
            { header: 'CHOSEN BY', value: (row) => row.source },
          ],
        );
      }),
    );
}
