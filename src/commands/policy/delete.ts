import { checkDnsName } from '../../lib/core/object-names.ts';
import { removalsOf } from '../../lib/core/read-confirmed.ts';
import { wecNamesOf } from '../../lib/ocm/model/manifest-works.ts';
import type { PolicyToDelete } from '../../lib/policies/delete-policy.ts';
import { confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import { describeTaken } from '../common/forecast-text.ts';
import { dryRunOption, maxRemovedOption, wdsOptions, yesOption } from '../common/options.ts';

export const remove: Definition<{ keepWorkloads?: boolean; maxRemoved?: number }> = {
  description:
    'Shows which objects are removed from which WECs, asks, deletes the BindingPolicy, and waits until its works are gone. With --keep-workloads the objects stay where they run: the Binding is kept until the works no longer own them. After an interruption, run it again to resume.',
  timeout: '5m',
  destroys: true,
  examples: [
    ['stellarctl policy delete shop', 'the policy, and the objects that it has sent'],
    [
      'stellarctl policy delete shop --keep-workloads',
      'keep the workloads running, without an owner',
    ],
    ['stellarctl policy delete shop --wds wds1 --yes', 'in a script, without confirmation'],
  ],
  arguments: [['<name>', 'the policy']],
  options: [
    ['--keep-workloads', 'keep the workloads running'],
    yesOption(),
    maxRemovedOption('with --yes: fail if more WECs would lose objects (default: no limit)'),
    ...wdsOptions(),
    dryRunOption(),
  ],
  async run(session, { keepWorkloads, maxRemoved: max }, [name = '']) {
    checkDnsName(name, 'a binding policy');
    const { agreedTo, deletePolicy, hasRemains } = await import(
      '../../lib/policies/delete-policy.ts'
    );
    const wds = await session.wdsToWrite();
    const confirm = confirming<PolicyToDelete>(session, {
      show(found) {
        session.foresees(found.effects);
        session.noteLines(hasRemains(found) ? describeDeletion(found) : [], '  ');
      },
      confirmations(found) {
        if (!hasRemains(found)) return [];
        const removals = max === undefined ? undefined : removalsOf(agreedTo(found), max);
        return [{ verb: 'Delete', name, oneWec: wecsIn(found) === 1, removals }];
      },
    });
    await session.finish([await deletePolicy({ name, keepWorkloads, confirm }, wds, session.run)]);
  },
};

export const prune: Definition<{ maxRemoved?: number }> = {
  description:
    'Removes from the WECs what the guard of a WDS keeps: the objects of a policy that no longer selects any object. Shows which objects are removed from which WECs, and asks.',
  timeout: '5m',
  destroys: true,
  examples: [
    ['stellarctl policy prune shop', 'after all objects of shop were deleted in a guarded WDS'],
  ],
  arguments: [['<name>', 'the policy']],
  options: [yesOption(), maxRemovedOption(), ...wdsOptions(), dryRunOption()],
  async run(session, { maxRemoved: max }, [name = '']) {
    checkDnsName(name, 'a binding policy');
    const { prunePolicy } = await import('../../lib/policies/prune-policy.ts');
    const { agreedTo } = await import('../../lib/policies/delete-policy.ts');
    const wds = await session.wdsToWrite();
    const confirm = confirming<PolicyToDelete>(session, {
      show({ effects }) {
        session.foresees(effects);
        session.noteLines(describeTaken(effects), '  ');
      },
      confirmations(found) {
        if (found.works.length === 0) return [];
        const removals = removalsOf(agreedTo(found), max);
        const oneWec = removals.wecs === 1;
        return [{ verb: 'Prune', name, oneWec, removals }];
      },
    });
    await session.finish([await prunePolicy(name, confirm, wds, session.run)]);
  },
};

const wecsIn = ({ works }: PolicyToDelete) => wecNamesOf(works).length;

const describeDeletion = (found: PolicyToDelete) =>
  found.works.length === 0 ? ['It has sent nothing to any WEC.'] : describeTaken(found.effects);
