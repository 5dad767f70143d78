import type { Command } from 'commander';
import { checkDnsName } from '../../lib/kube/object-names.ts';
import type { Io } from '../../lib/terminal/io.ts';
import { action } from '../shell/action.ts';
import { defineCommand, dryRunOption, type WdsOptions, type WritingOptions, wdsOptions } from '../shell/options.ts';

interface Options extends WdsOptions, WritingOptions {
  force?: boolean;
}

export function collectorDeleteCommand(io: Io): Command {
  const definition = defineCommand('delete', {
    description: 'Deletes a StatusCollector and what it has collected. Refuses while a binding policy names it.',
    timeout: '30s',
    examples: [['stellarctl collector delete replicas', 'a collector that no policy names']],
  })
    .argument('<name>', 'the collector')
    .option('--force', 'delete a collector that binding policies name; they then have an error');
  for (const option of [...wdsOptions(), dryRunOption()]) definition.addOption(option);
  return definition.action(
    action<Options>(io, async (session, { force }, [name = '']) => {
      checkDnsName(name, 'a status collector');
      const { deleteCollector } = await import('../../lib/workloads/status/change-collector.ts');
      const wds = await session.wds();
      session.announce(wds.kube, 'WDS');
      await session.finish([await deleteCollector(name, { force }, wds, session.run)]);
    }),
  );
}
