import { checkDnsName } from '../../lib/kube/object-names.ts';
import type { PolicyToDelete } from '../../lib/workloads/delete-policy.ts';
import { confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import { type ConfirmedOptions, dryRunOption, type WdsOptions, wdsOptions, yesOption } from '../common/options.ts';

type Options = WdsOptions & ConfirmedOptions & { keepWorkloads?: boolean };

export const definition: Definition<Options> = {
  description:
    'Shows which objects are removed from which WECs, asks, deletes the BindingPolicy, and waits until its works are gone. With --keep-workloads the objects stay where they run: the Binding is kept until the works no longer own them. After an interruption, run it again to resume.',
  timeout: '5m',
  destroys: true,
  examples: [
    ['stellarctl policy delete shop', 'the policy, and the objects that it has sent'],
    ['stellarctl policy delete shop --keep-workloads', 'keep the workloads running, without an owner'],
    ['stellarctl policy delete shop --wds wds1 --yes', 'in a script, without confirmation'],
  ],
  arguments: [['<name>', 'the policy']],
  options: [['--keep-workloads', 'keep the workloads running'], yesOption(), ...wdsOptions(), dryRunOption()],
  async run(session, { yes, keepWorkloads }, [name = '']) {
    checkDnsName(name, 'a binding policy');
    const { deletePolicy, hasRemains } = await import('../../lib/workloads/delete-policy.ts');
    const { describeEffects } = await import('./delete-text.ts');
    const wds = await session.wdsToWrite(yes);
    const confirm = confirming<PolicyToDelete>(session, {
      show: (found) => session.noteLines(hasRemains(found) ? describeEffects(found.effects, keepWorkloads) : [], '  '),
      confirmations: (found) => (hasRemains(found) ? [{ verb: 'Delete', doing: 'Deleting', name, yes }] : []),
    });
    await session.finish([await deletePolicy({ name, keepWorkloads, confirm }, wds, session.run)]);
  },
};
