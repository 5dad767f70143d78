import type { Command } from 'commander';
import { checkDnsName } from '../../lib/kube/object-names.ts';
import { type Io, isForPeople } from '../../lib/terminal/io.ts';
import { action } from '../shell/action.ts';
import { defineCommand, type WdsOptions, wdsOptions } from '../shell/options.ts';

export function policyGetCommand(io: Io): Command {
  const definition = defineCommand('get', {
    description:
      'Shows the objects that a BindingPolicy sends and, for each WEC, what has arrived, what is on its way, and what has failed, with the command that fixes it.',
    timeout: '30s',
    examples: [
      ['stellarctl policy get shop', 'its objects and WECs'],
      ['stellarctl policy get shop -o json', 'every stage of each object on each WEC, for scripts'],
    ],
  }).argument('<name>', 'the policy');
  for (const option of wdsOptions()) definition.addOption(option);
  return definition.action(
    action<WdsOptions>(io, async (session, { color }, [name = '']) => {
      checkDnsName(name, 'a binding policy');
      const { getPolicyView } = await import('../../lib/workloads/delivery/policy-view.ts');
      const { view, errors } = await getPolicyView(name, await session.wds());
      if (isForPeople(session.output)) {
        const { styleFor } = await import('../../lib/terminal/style.ts');
        const { describePolicyView } = await import('./get-text.ts');
        session.printLines(describePolicyView(view, styleFor(io.stdout, io, color)));
      } else await session.print(view, [view], []);
      session.incomplete(errors);
      const broken = view.objects.flatMap(({ ways }) => ways).find(({ blockedAt }) => blockedAt !== null);
      if (isForPeople(session.output) && broken?.next) session.next(broken.next);
    }),
  );
}
