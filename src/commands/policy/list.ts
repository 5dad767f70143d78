import { begun } from '../../lib/core/deadline.ts';
import type { Definition } from '../common/define.ts';
import { wdsOptions } from '../common/options.ts';

export const definition: Definition = {
  description:
    'Lists the BindingPolicies of a WDS: how many WECs and objects each selects, on how many WECs its objects are applied, and what blocks it. BindingPolicies themselves do not show this.',
  examples: [
    ['stellarctl policy list', 'the policies of the default WDS'],
    ['stellarctl policy list --wds wds2 -o wide', 'with the names of the WECs'],
  ],
  options: wdsOptions(),
  async run(session) {
    const { listPolicies } = await import('../../lib/workloads/policy/policy-list.ts');
    const wds = await session.wds();
    const { view: items, errors } = await listPolicies(wds);
    await session.print(
      { wds: wds.name, items },
      items,
      {
        NAME: ({ name }) => name,
        WECS: ({ wecs }) => String(wecs.length),
        OBJECTS: ({ objects }) => String(objects),
        APPLIED: ({ deliveries: all }) => (all === null ? '?' : `${all.applied}/${all.total}`),
        STATE: ({ state, why, since }) =>
          why === null ? state : `${state}: ${why}${begun(since, wds.kube.now())}`,
      },
      { SELECTED: ({ wecs }) => wecs.join(',') },
    );
    if (items.length + errors.length === 0) session.noneInWds(wds, 'binding policies');
    session.incomplete(errors);
  },
};
