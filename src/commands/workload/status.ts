import type { Command } from 'commander';
import { type Io, isForPeople } from '../../lib/terminal/io.ts';
import { action } from '../shell/action.ts';
import { defineCommand, type WdsOptions, wdsOptions } from '../shell/options.ts';

interface Options extends WdsOptions {
  namespace?: string;
}

export function workloadStatusCommand(io: Io): Command {
  const definition = defineCommand('status', {
    description:
      'Shows the status that each WEC has returned for an object, whether or not a policy asks for it, and the tables that status collectors have made from it.',
    timeout: '30s',
    examples: [
      ['stellarctl workload status deployment/web -n shop', 'a line for each WEC, then the tables'],
      ['stellarctl workload status deployment/web -n shop -o json', 'the statuses themselves'],
    ],
  })
    .argument('<object>', 'KIND/NAME, or KIND.GROUP/NAME')
    .option('-n, --namespace <namespace>', 'its Namespace, if it has one (default: default)');
  for (const option of wdsOptions()) definition.addOption(option);
  return definition.action(
    action<Options>(io, async (session, { namespace }, [text = '']) => {
      const { parseObject } = await import('../../lib/workloads/delivery/workload.ts');
      const { getReturned } = await import('../../lib/workloads/status/returned.ts');
      const { view, errors } = await getReturned(parseObject(text, namespace), await session.wds());
      if (isForPeople(session.output)) {
        const { describeReturned } = await import('./status-text.ts');
        session.printLines(describeReturned(view));
      } else await session.print(view, [view], []);
      session.incomplete(errors);
    }),
  );
}
