import { checkDnsName } from '../../lib/kube/object-names.ts';
import type { PolicyToDelete } from '../../lib/workloads/delete-policy.ts';
import { confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import {
  type ConfirmedOptions,
  dryRunOption,
  maxRemovedOption,
  type WdsOptions,
  wdsOptions,
  yesOption,
} from '../common/options.ts';

type Options = WdsOptions & ConfirmedOptions & { maxRemoved?: number };

export const definition: Definition<Options> = {
  description:
    'Removes from the WECs what the guard of a WDS keeps: the objects of a policy that no longer selects any object. Shows which objects are removed from which WECs, and asks.',
  timeout: '5m',
  destroys: true,
  examples: [['stellarctl policy prune shop', 'after all objects of shop were deleted in a guarded WDS']],
  arguments: [['<name>', 'the policy']],
  options: [yesOption(), maxRemovedOption(), ...wdsOptions(), dryRunOption()],
  async run(session, { yes, maxRemoved: max }, [name = '']) {
    checkDnsName(name, 'a binding policy');
    const { prunePolicy } = await import('../../lib/workloads/prune-policy.ts');
    const { describeEffects } = await import('./delete-text.ts');
    const wds = await session.wdsToWrite(yes);
    const confirm = confirming<PolicyToDelete>(session, {
      show: ({ effects }) => session.noteLines(describeEffects(effects, false), '  '),
      confirmations: ({ works, effects: { length } }) =>
        works.length > 0
          ? [{ verb: 'Prune', doing: 'Pruning', name, yes, removals: [{ wecs: length, of: length, max }] }]
          : [],
    });
    await session.finish([await prunePolicy(name, confirm, wds, session.run)]);
  },
};
