import { command, flagsOf } from '../../lib/core/next-step.ts';
import { argumentOf } from '../../lib/ocm/model/object-ref.ts';
import type { Wanted, WorkloadSummary } from '../../lib/workloads/workload-list.ts';
import type { Definition } from '../common/define.ts';
import { listOption, wdsOptions } from '../common/options.ts';

export const definition: Definition<Wanted> = {
  description:
    'Lists the objects that the binding policies of a WDS send: to how many WECs each is sent, and on how many of them it is applied, is available, or has failed.',
  examples: [
    ['stellarctl workload list', 'everything that is sent'],
    ['stellarctl workload list -n shop --wec cluster1', 'of one Namespace, to one WEC'],
  ],
  options: [
    ['-n, --namespace <namespace>', 'only objects in this Namespace'],
    ['--policy <name>', 'only what this policy sends'],
    listOption('--wec <names>', 'only what is sent to these WECs'),
    ...wdsOptions(),
  ],
  async run(session, wanted) {
    const { listWorkloads } = await import('../../lib/workloads/workload-list.ts');
    const wds = await session.wds();
    const { view: items, errors } = await listWorkloads(wds, wanted);
    const textOfCount = (count: number | null) => (count === null ? '?' : String(count));
    await session.print(
      { wds: wds.name, items },
      session.output === 'name' ? items.map(asArgument) : items,
      {
        NAME: ({ name }) => name,
        WECS: ({ wecs }) => String(wecs),
        APPLIED: ({ applied }) => textOfCount(applied),
        AVAILABLE: ({ available }) => textOfCount(available),
        FAILED: ({ failed }) => textOfCount(failed),
      },
      { POLICIES: ({ policies }) => policies.join(',') },
    );
    if (items.length + errors.length === 0 && !(wanted.namespace ?? wanted.policy ?? wanted.wec))
      session.noneInWds(wds, 'objects that a binding policy sends');
    session.incomplete(errors);
    const broken = items.find(({ wecs, failed }) => wecs === 0 || (failed !== null && failed > 0));
    if (broken === undefined || !session.isForPeople) return;
    session.next(command`stellarctl workload get ${asArgument(broken).name} ${flagsOf(wds)}`);
  },
};

/** As other commands take it. */
const asArgument = (item: WorkloadSummary): WorkloadSummary => ({
  ...item,
  name: argumentOf({ ...item, name: item.name.split(/[ /]/).at(-1) ?? '' }),
});
