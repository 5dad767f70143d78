import { checkDnsName } from '../../lib/kube/object-names.ts';
import type { Definition } from '../common/define.ts';
import { type WdsOptions, wdsOptions } from '../common/options.ts';
import { isForPeople } from '../terminal/io.ts';

export const definition: Definition<WdsOptions> = {
  description:
    'Shows the objects that a BindingPolicy sends and, for each WEC, what has arrived, what is on its way, and what has failed, with the command that fixes it.',
  timeout: '30s',
  examples: [
    ['stellarctl policy get shop', 'its objects and WECs'],
    ['stellarctl policy get shop -o json', 'every stage of each object on each WEC, for scripts'],
  ],
  arguments: [['<name>', 'the policy']],
  options: [...wdsOptions()],
  async run(session, _options, [name = '']) {
    checkDnsName(name, 'a binding policy');
    const { getPolicyView } = await import('../../lib/workloads/policy-view.ts');
    const wds = await session.wds();
    const { view, errors } = await getPolicyView(name, wds);
    const { describePolicyView } = await import('./get-text.ts');
    await session.show(view, (style) => describePolicyView(view, style, wds.kube.now()));
    session.incomplete(errors);
    const broken = view.objects.flatMap(({ deliveries }) => deliveries).find(({ blockedAt }) => blockedAt !== null);
    if (isForPeople(session.output) && broken?.next) session.next(broken.next);
  },
};
