import type { Command } from 'commander';
import { checkDnsName } from '../../lib/kube/object-names.ts';
import type { Io } from '../../lib/terminal/io.ts';
import { action } from '../shell/action.ts';
import { defineCommand, dryRunOption, type WdsOptions, type WritingOptions, wdsOptions } from '../shell/options.ts';
import { nextRefresh } from './next-refresh.ts';

export function transformDeleteCommand(io: Io): Command {
  const definition = defineCommand('delete', {
    description: 'Deletes a CustomTransform. Existing works stay without the removed fields until `policy refresh`.',
    timeout: '30s',
    examples: [['stellarctl transform delete no-replicas', 'then run policy refresh']],
  }).argument('<name>', 'the transform');
  for (const option of [...wdsOptions(), dryRunOption()]) definition.addOption(option);
  return definition.action(
    action<WdsOptions & WritingOptions>(io, async (session, _options, [name = '']) => {
      checkDnsName(name, 'a custom transform');
      const { deleteTransform } = await import('../../lib/workloads/transforms/change-transform.ts');
      const wds = await session.wds();
      session.announce(wds.kube, 'WDS');
      const result = await deleteTransform(name, wds, session.run);
      await session.finish([result]);
      await nextRefresh(session, result, wds);
    }),
  );
}
