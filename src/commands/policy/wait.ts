import { Option } from 'commander';
import { checkDnsName } from '../../lib/core/object-names.ts';
import type { PolicyWait } from '../../lib/policies/wait-policy.ts';
import type { Definition } from '../common/define.ts';
import { listOption, wdsOptions } from '../common/options.ts';
import { checkWecName } from '../common/wec-argument.ts';

export const definition: Definition<{ for: PolicyWait['goal']; on?: string[] }> = {
  description:
    'Waits until everything that a BindingPolicy selects is applied or available on its WECs, or its status has been returned, or until the policy is gone with its works. For scripts; writes nothing. The exit code is 0 when that is reached, 1 if a stage has failed and stays so for some seconds, and 3 if the deadline passes first.',
  timeout: '5m',
  examples: [
    ['stellarctl policy wait shop', 'all objects on all WECs'],
    [
      'stellarctl policy wait shop --on cluster1',
      'until it sends to cluster1 only, and all is applied there',
    ],
    ['stellarctl policy wait shop --for gone', 'after policy delete in another terminal'],
  ],
  arguments: [['<name>', 'the policy']],
  options: [
    new Option('--for <stage>', 'what to wait for')
      .choices(['applied', 'available', 'status', 'gone'])
      .default('applied'),
    listOption('--on <wecs>', 'until it sends to these WECs, and to no others'),
    ...wdsOptions(),
  ],
  async run(session, { for: goal, on }, [name = '']) {
    checkDnsName(name, 'a binding policy');
    on?.forEach(checkWecName);
    const { waitForPolicy } = await import('../../lib/policies/wait-policy.ts');
    await session.finish([
      await waitForPolicy({ name, goal, on }, await session.wds(), session.run),
    ]);
  },
};
