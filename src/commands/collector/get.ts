import type { Command } from 'commander';
import { checkDnsName } from '../../lib/kube/object-names.ts';
import { type Io, isForPeople } from '../../lib/terminal/io.ts';
import { action } from '../shell/action.ts';
import { defineCommand, type WdsOptions, wdsOptions } from '../shell/options.ts';

export function collectorGetCommand(io: Io): Command {
  const definition = defineCommand('get', {
    description:
      'Shows the expressions of a StatusCollector, the policies that name it, and where KubeStellar cannot evaluate it.',
    timeout: '30s',
    examples: [['stellarctl collector get replicas', 'its columns, and its errors']],
  }).argument('<name>', 'the collector');
  for (const option of wdsOptions()) definition.addOption(option);
  return definition.action(
    action<WdsOptions>(io, async (session, _options, [name = '']) => {
      checkDnsName(name, 'a status collector');
      const { getCollector } = await import('../../lib/workloads/status/collectors.ts');
      const { view } = await getCollector(await session.wds(), name);
      if (!isForPeople(session.output)) return session.print(view, [view], []);
      const { describeCollector } = await import('./get-text.ts');
      session.printLines(describeCollector(view));
    }),
  );
}
