import { Option } from 'commander';
import { checkDnsName } from '../../lib/kube/object-names.ts';
import type { CollectorRequest } from '../../lib/workloads/change-collector.ts';
import type { Definition } from '../common/define.ts';
import { dryRunOption, repeatable, type WdsOptions, type WritingOptions, wdsOptions } from '../common/options.ts';

type Options = WdsOptions & WritingOptions & Partial<CollectorRequest>;

export const definition: Definition<Options> = {
  description:
    'Creates a StatusCollector, which makes tables from the status that WECs return. Binding policies refer to it by name (policy create --status). Expressions are CEL over inventory.name (the WEC), obj (the object in the WDS), returned.status, and propagation.lastReturnedUpdateTimestamp.',
  timeout: '30s',
  examples: [
    ['stellarctl collector create replicas --preset replicas', 'the replicas on each WEC'],
    [
      'stellarctl collector create ready --column wec=inventory.name --column ready=returned.status.readyReplicas',
      'columns of your own',
    ],
    [
      'stellarctl collector create total --combine total=SUM:returned.status.availableReplicas --combine wecs=COUNT',
      'one row for all WECs',
    ],
  ],
  arguments: [['<name>', 'the name of the collector']],
  options: [
    new Option('--preset <preset>', 'a ready-made set of columns').choices([
      'replicas',
      'conditions',
      'available-wecs',
    ]),
    ['--filter <expression>', 'which returned statuses to include'],
    repeatable('--column <column>', 'a column, with a row for each WEC, as NAME=EXPRESSION'),
    repeatable('--combine <column>', 'a column aggregated over WECs, as NAME=COUNT or NAME=SUM|AVG|MIN|MAX:EXPRESSION'),
    repeatable('--group-by <column>', 'a row for each value of this column, as NAME=EXPRESSION'),
    new Option('--limit <rows>', 'the maximum number of rows (default: 20)').argParser(Number),
    ...wdsOptions(),
    dryRunOption(),
  ],
  async run(session, options, [name = '']) {
    checkDnsName(name, 'a status collector');
    const change = await import('../../lib/workloads/change-collector.ts');
    const { createReported } = await import('../../lib/workloads/create-object.ts');
    const { column = [], groupBy = [], combine = [] } = options;
    const spec = change.collectorSpec({ ...options, column, groupBy, combine });
    const wds = await session.wdsToWrite();
    await session.finish([await createReported('collector', name, spec, wds, session.run)]);
    session.next(change.toUseCollector(name, wds));
  },
};
