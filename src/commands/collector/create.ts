import { type Command, Option } from 'commander';
import { command } from '../../lib/engine/command-line.ts';
import type { Io } from '../../lib/terminal/io.ts';
import type { CollectorRequest } from '../../lib/workloads/status/change-collector.ts';
import { action } from '../shell/action.ts';
import {
  collect,
  defineCommand,
  dryRunOption,
  type WdsOptions,
  type WritingOptions,
  wdsOptions,
} from '../shell/options.ts';

interface Options extends WdsOptions, WritingOptions, Partial<CollectorRequest> {}

export function collectorCreateCommand(io: Io): Command {
  const definition = defineCommand('create', {
    summary: 'create a status collector',
    description:
      'Creates a StatusCollector, which makes tables of what WECs return; a binding policy names it. Expressions are CEL over inventory.name (the WEC), obj (the object in the WDS), returned.status, and propagation.lastReturnedUpdateTimestamp.',
    timeout: '30s',
    examples: [
      ['stellarctl collector create replicas --preset replicas', 'replicas of each WEC'],
      [
        'stellarctl collector create ready --select wec=inventory.name --select ready=returned.status.readyReplicas',
        'columns of your own',
      ],
      [
        'stellarctl collector create total --combine total=SUM:returned.status.availableReplicas --combine wecs=COUNT',
        'of all WECs',
      ],
    ],
  })
    .argument('<name>', 'its name')
    .addOption(
      new Option('--preset <preset>', 'a ready-made one').choices(['replicas', 'conditions', 'available-wecs']),
    )
    .option('--filter <expression>', 'which returned statuses count')
    .addOption(
      new Option('--select <column>', 'a column of a row for each WEC, as NAME=EXPRESSION; several times').argParser(
        collect,
      ),
    )
    .addOption(
      new Option(
        '--combine <column>',
        'a column over many WECs, as NAME=COUNT or NAME=SUM|AVG|MIN|MAX:EXPRESSION; several times',
      ).argParser(collect),
    )
    .addOption(
      new Option('--group-by <column>', 'a row for each value, as NAME=EXPRESSION; several times').argParser(collect),
    )
    .addOption(new Option('--limit <rows>', 'rows at most (else 20)').argParser(Number));
  for (const option of [...wdsOptions(), dryRunOption()]) definition.addOption(option);
  return definition.action(
    action<Options>(io, async (session, options, [name = '']) => {
      const { collectorSpec, createCollector } = await import('../../lib/workloads/status/change-collector.ts');
      const { select = [], groupBy = [], combine = [] } = options;
      const spec = collectorSpec({ ...options, select, groupBy, combine });
      const wds = await session.wds();
      session.announce(wds.kube, 'WDS');
      await session.finish([await createCollector(name, spec, wds, session.run)]);
      session.next(command`stellarctl policy create NAME --clusters SELECTOR --status ${name} --wds ${wds.name}`);
    }),
  );
}
