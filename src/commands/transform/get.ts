import type { Command } from 'commander';
import { checkDnsName } from '../../lib/kube/object-names.ts';
import { type Io, isForPeople } from '../../lib/terminal/io.ts';
import { action } from '../shell/action.ts';
import { defineCommand, type WdsOptions, wdsOptions } from '../shell/options.ts';

export function transformGetCommand(io: Io): Command {
  const definition = defineCommand('get', {
    description:
      'Shows which fields a CustomTransform removes from which of the objects that are sent now, and what KubeStellar cannot read in it.',
    timeout: '30s',
    examples: [['stellarctl transform get no-replicas', 'what it removes from the objects that are sent now']],
  }).argument('<name>', 'the transform');
  for (const option of wdsOptions()) definition.addOption(option);
  return definition.action(
    action<WdsOptions>(io, async (session, _options, [name = '']) => {
      checkDnsName(name, 'a custom transform');
      const { effectOf, getTransform } = await import('../../lib/workloads/transforms/transforms.ts');
      const { readable } = await import('../../lib/workloads/transforms/path.ts');
      const wds = await session.wds();
      const { view } = await getTransform(wds, name);
      const spec = { apiGroup: view.group, resource: view.resource, remove: readable(view.remove) };
      const document = { ...view, effect: await effectOf(spec, wds) };
      if (!isForPeople(session.output)) return session.print(document, [view], []);
      const { describeEffect, describeTransform } = await import('./transform-text.ts');
      session.printLines([...describeTransform(view), ...describeEffect(document.effect)]);
    }),
  );
}
