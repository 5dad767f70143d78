import { Option } from 'commander';
import type { WorkloadGoal } from '../../lib/workloads/delivery/wait-workload.ts';
import type { Definition } from '../common/define.ts';
import { listOption, wdsOptions } from '../common/options.ts';
import { checkWecName } from '../common/wec-argument.ts';
import { namespaceOption, objectArguments } from './get.ts';

interface Options {
  namespace?: string;
  for: WorkloadGoal;
  on?: string[];
}

export const definition: Definition<Options> = {
  description:
    'Waits until an object of a WDS is applied or available on every WEC, its status has been returned, or it is there as its work says. For scripts; writes nothing. The exit code is 0 when every WEC has reached the stage, 1 if a stage has failed and stays so for some seconds, and 3 if the deadline passes first; the message then says what blocks it.',
  timeout: '5m',
  examples: [
    ['stellarctl workload wait deployment/web -n shop', 'on every WEC that it is sent to'],
    ['stellarctl workload wait deploy/web -n shop --for applied --on c1,c2', 'on two WECs'],
    [
      'stellarctl workload wait deployment/web -n shop --timeout 0',
      'check once, for the exit code',
    ],
  ],
  arguments: objectArguments,
  options: [
    namespaceOption,
    new Option('--for <stage>', 'the stage to wait for')
      .choices(['applied', 'available', 'status', 'equal'])
      .default('available'),
    listOption('--on <wecs>', 'these WECs').conflicts('all'),
    ['--all', 'all WECs that policies send it to (the default)'],
    ...wdsOptions(),
  ],
  async run(session, { namespace, for: goal, on }, words) {
    on?.forEach(checkWecName);
    const { parseObject } = await import('../../lib/workloads/delivery/workload.ts');
    const { waitForWorkload } = await import('../../lib/workloads/delivery/wait-workload.ts');
    const named = parseObject(words, namespace);
    await session.finish([
      await waitForWorkload({ named, goal, on }, await session.wds(), session.run),
    ]);
  },
};
